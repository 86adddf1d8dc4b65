"""Groups of works, each in one transaction: run each work, commit, send its events. Synchronous."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from services.engine.sql.failure import is_of_the_work, storage_failed
from services.engine.sql.outgoing import OutgoingRecord
from services.engine.sql.session import Session
from services.engine.sql.transaction import Writing
from services.engine.transaction import StorageFailed, Transaction

Hook = Callable[[], None]


class Group:
    """The groups of one writer, one after the other."""

    def __init__(self, session: Session, stores: Writing) -> None:
        self._session = session
        self._stores = stores
        self._outgoing: list[OutgoingRecord] = []

    @property
    def events(self) -> int:
        """Events appended so far."""
        return self._stores.events.waiting

    def claim(self) -> None:
        """Take the turn before any work runs; raises `StorageFailed`."""
        try:
            self._stores.turn.claim()
        except BaseException as error:
            raise storage_failed(error, self._session.where) from error

    def run(self, work: Callable[[Transaction], Any]) -> Any:
        """Run one work and return its result.

        When it raises, what it wrote is undone and the exception goes on; `TurnNeeded` when it has to wait for a group
        that begins with the turn. What the database refuses becomes `StorageFailed`, and then the group is to be given
        up.
        """
        try:
            result = work(self._stores)
            self._stores.settle()
        except BaseException as error:
            self._undo(error)
            raise
        return result

    def commit(self, hooks: Sequence[Hook]) -> None:
        """All works have run: make what they wrote durable. Raises `StorageFailed` for whatever went wrong; then the
        group is to be given up."""
        try:
            for hook in hooks:
                hook()
            self._outgoing = self._stores.store()
            self._session.commit()
        except BaseException as error:
            raise storage_failed(error, self._session.where) from error
        self._stores.landed()

    def send(self) -> None:
        """Send the events that were committed; raises `StorageFailed`, and then the group is to be given up: they go
        first in the next turn, whoever has it."""
        try:
            self._stores.turn.send(self._outgoing)
        except BaseException as error:
            raise storage_failed(error, self._session.where) from error

    def end(self) -> None:
        """Everything is done and told: let the next writer in. Raises `StorageFailed` when the connection was lost;
        then the group is to be given up, which costs a second send at most."""
        sent, self._outgoing = self._outgoing, []
        try:
            self._stores.turn.end(sent)
        except BaseException as error:
            raise storage_failed(error, self._session.where) from error

    def give_up(self) -> None:
        """Undo what is not committed, forget what is in memory, leave the connection and the turn."""
        self._outgoing = []
        self._stores.forget()
        self._session.give_up()
        self._stores.turn.drop()

    def _undo(self, error: BaseException) -> None:
        """Take back what the work wrote; raises `StorageFailed` when the group cannot go on."""
        if isinstance(error, StorageFailed):
            raise error
        if isinstance(error, SQLAlchemyError) and not (is_of_the_work(error) and self._session.is_sound):
            raise storage_failed(error, self._session.where) from error
        try:
            self._stores.take_back()
        except SQLAlchemyError as failed:
            raise storage_failed(failed, self._session.where) from failed
