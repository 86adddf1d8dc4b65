"""What the database says, in words an operator can act on."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from services.engine.sql.database import cause_of
from services.engine.transaction import StorageFailed

_ADVICE = {
    "LockNotAvailable": "another worker did not give up its turn to write; see whether it still runs",
    "DiskFull": "its disk is full; free some space, then publish again",
    "InsufficientPrivilege": "this user may not write there; give it the rights to the store's tables",
    "ReadOnlySqlTransaction": "it takes no writes; see that this is the primary and not a copy",
    "DeadlockDetected": "two writers waited for each other; send again",
    "UndefinedTable": "the tables are not there; open the store once with a user who may make them",
}
_PRESUMED = "see that it runs, that this user may write there and that its disk has room, then send again"


def storage_failed(error: BaseException, where: str) -> StorageFailed:
    """The error to raise in place of `error`; the caller chains it (`from error`). `where`: without a password."""
    if isinstance(error, StorageFailed):
        return StorageFailed(str(error))
    if isinstance(error, SQLAlchemyError):
        kind = cause_of(error)
        return StorageFailed(f"{where}: the database refused ({kind}); {_ADVICE.get(kind, _PRESUMED)}")
    return StorageFailed(f"{where}: it could not be written ({type(error).__name__}); nothing of it was accepted")


def is_of_the_work(error: BaseException) -> bool:
    """Whether one work asked for something that cannot be, rather than the database being unable."""
    if isinstance(error, IntegrityError):
        return True
    return isinstance(error, DBAPIError) and not error.connection_invalidated and cause_of(error) == "DataError"
