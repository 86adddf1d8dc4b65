"""A scripted week of a small invented county: data, a clock that plays it at speed, and the player."""
