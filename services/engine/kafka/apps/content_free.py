"""Logs of a worker without content: what an error quotes is left out, its kind and place are kept."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

FOREIGN = ("faust", "mode", "aiokafka", "asyncio")
"""Loggers of others: only warnings of theirs are shown."""
_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _ContentFree(logging.Formatter):
    """Names errors by their kind and place, never by their text, which may quote what was being worked on."""

    def format(self, record: logging.LogRecord) -> str:
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


def log_without_content(level: int = logging.INFO) -> None:
    """Log to standard error; call it once, at the start of a process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_ContentFree(_LINE))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in FOREIGN:
        logging.getLogger(name).setLevel(logging.WARNING)
