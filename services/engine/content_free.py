"""Logs of a process without content: what an error quotes is left out, its kind and place are kept."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from time import monotonic
from types import TracebackType

FOREIGN = ("faust", "mode", "aiokafka", "asyncio", "alembic", "uvicorn")
"""Loggers of others: only warnings of theirs are shown."""
AGAIN_S = 30.0
"""How long nothing is said again that another's logger said already: aiokafka tells of a broker that is away many times
a second."""
MAX_REMEMBERED = 1_000
"""Things said that are remembered; beyond it they are forgotten and may be said again."""
_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_QUOTED = re.compile(r"[\n<(]")
"""Where what asyncio says begins to quote."""
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _ContentFree(logging.Formatter):
    """Names errors by their kind and place, never by their text, which may quote what was being worked on."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name == "asyncio":
            # It quotes tasks with their errors, and callbacks with their arguments.
            record.msg, record.args = _QUOTED.split(record.getMessage(), maxsplit=1)[0], None
        if isinstance(record.args, tuple):
            record.args = tuple(type(a).__name__ if isinstance(a, BaseException) else a for a in record.args)
        return super().format(record)

    def formatException(self, ei: _Raised) -> str:  # noqa: N802  # logging's own name
        raised = ei[1]
        if raised is None:
            return ""
        frames = traceback.walk_tb(raised.__traceback__)
        places = [f"  {frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}" for frame, line in frames]
        return "\n".join([type(raised).__qualname__, *places])


class _Seldom(logging.Filter):
    """Lets what others log through once in `AGAIN_S`, by its place and its words without the values in them."""

    def __init__(self) -> None:
        super().__init__()
        self._said_s: dict[tuple[str, int, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in FOREIGN or record.exc_info:
            return True
        now_s, said = monotonic(), (record.pathname, record.lineno, str(record.msg))
        if now_s - self._said_s.get(said, -AGAIN_S) < AGAIN_S:
            return False
        if len(self._said_s) >= MAX_REMEMBERED:
            self._said_s.clear()
        self._said_s[said] = now_s
        return True


def log_without_content(level: int = logging.INFO) -> None:
    """Log to standard error; call it once, at the start of a process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_ContentFree(_LINE))
    handler.addFilter(_Seldom())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in FOREIGN:
        logging.getLogger(name).setLevel(logging.WARNING)
