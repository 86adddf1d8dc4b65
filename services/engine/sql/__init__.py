"""The SQL store of the Kafka engine, on PostgreSQL or SQLite by the same code: what intake decides against, what a
projection fills from `ccr.events` and `ccr.links`, and what the portal reads.

`store` puts it together · `outgoing` how accepted events leave it · `writer` the thread that writes, `group` its
transactions, `turn` whose turn it is in the cluster, `session` its connection · a file per store · `projecting` the way
back from Kafka, `link_rows` which transition is a link's newest · `hearing` alerts as they are committed · `readers`,
`queries` the read side · `database`, `columns`, `migrating` what other sets of tables use as well.
"""

from __future__ import annotations

from services.engine.sql.absent import NotInThisStore
from services.engine.sql.link_rows import Dropped, Said, Told, Untold
from services.engine.sql.outgoing import SENDING_S, SENT_AT_ONCE, Outgoing, OutgoingRecord
from services.engine.sql.projecting import MAX_BATCH, Consumed, Projection
from services.engine.sql.store import SqlStore, open_store

__all__ = [
    "MAX_BATCH",
    "SENDING_S",
    "SENT_AT_ONCE",
    "Consumed",
    "Dropped",
    "NotInThisStore",
    "Outgoing",
    "OutgoingRecord",
    "Projection",
    "Said",
    "SqlStore",
    "Told",
    "Untold",
    "open_store",
]
