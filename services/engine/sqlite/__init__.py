"""The embedded engine: log, facts, links, outbox and deadlines in one SQLite transaction.

`engine` puts it together · `database` the file and its checks · `schema` its tables · `writer` the thread that writes,
`group` its transaction, `buffer` and `savepoint` how one work of many is undone · a file per store · `readers`,
`queries`, `following` the read side.
"""

from __future__ import annotations

from services.engine.sqlite.engine import SqliteEngine, open_engine

__all__ = ["SqliteEngine", "open_engine"]
