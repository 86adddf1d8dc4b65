"""The SQL read model: cases, events, links and their transitions as tables that people can query.

On PostgreSQL or SQLite, by the same code. Only open fields reach it; nothing sealed does.
"""
