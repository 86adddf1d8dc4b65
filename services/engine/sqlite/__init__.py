"""The embedded engine: one SQLite file holds log, state, outbox, deadlines and positions."""
