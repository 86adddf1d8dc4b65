"""Which case an event belongs to: references and people, and merges proposed to a person."""
