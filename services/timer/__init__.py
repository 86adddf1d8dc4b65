"""Appends `link.deadline_reached` when a deadline passes."""
