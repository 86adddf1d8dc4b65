"""How a command fails: what was refused, in words, and exit status 1. A traceback is a defect.

Exit statuses: 0 done, 1 refused or failed with a message, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from tempfile import NamedTemporaryFile

FAILED = 1
"""Exit status of everything refused or failed."""
INTERRUPTED = 130
"""Exit status after Ctrl-C."""
DEBUG = "CCR_DEBUG"
"""Environment variable: `1` shows the traceback of an unexpected error instead of writing a report."""
_OURS = frozenset({"ccr_events", "services"})


class Refused(Exception):
    """A command cannot do what was asked; the text says what, which and what to do, and holds nothing confidential."""


def failed(error: Exception) -> int:
    """Tell on stderr what went wrong; returns the exit status."""
    words = words_of(error)
    if words is None:
        words = _unexpected(error)
    print(f"ccr: {words}", file=sys.stderr)  # noqa: T201  # the command's own voice
    return FAILED


def words_of(error: Exception) -> str | None:
    """The message of an error of ours, or of the operating system; None for anything else, which is a defect."""
    if type(error).__module__.partition(".")[0] in _OURS:
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if isinstance(error.filename, str | os.PathLike) else ""
        return f"{where}{error.strerror or error}"
    return None


def _unexpected(error: Exception) -> str:
    if os.environ.get(DEBUG) == "1":
        traceback.print_exception(error)
        return "unexpected error, see above"
    path = _write_report(error)
    return (
        f"unexpected error ({type(error).__name__}): this is a defect. A report that holds no data was written to "
        f"{path}; run again with {DEBUG}=1 to see everything"
    )


def _write_report(error: BaseException) -> str:
    """Where it happened, and the types of errors. Never their texts: those may quote what was being worked on."""
    lines = [f"ccr, Python {sys.version.split()[0]}\n"]
    cause: BaseException | None = error
    while cause is not None:
        lines.append(f"{type(cause).__module__}.{type(cause).__qualname__}\n")
        lines += [
            f"  {frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}\n"
            for frame, line in traceback.walk_tb(cause.__traceback__)
        ]
        cause = cause.__cause__ or cause.__context__
    with NamedTemporaryFile("w", prefix="ccr-report-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.writelines(lines)
    return file.name
