"""Directories of ours hold keys and data: git leaves them alone, whatever they are called and wherever they are."""

from __future__ import annotations

from pathlib import Path

from services.engine.private_file import create_private

IGNORE = ".gitignore"
_WORDS = "# Made by ccr: keys and data do not belong in a repository.\n*\n"


def make_unversioned(directory: Path, mode: int = 0o777) -> None:
    """Create a directory that git leaves alone; one that exists is somebody's, and stays as it is. Raises `OSError`."""
    try:
        directory.mkdir(mode=mode, parents=True)
    except FileExistsError:
        if not directory.is_dir():
            raise
        return
    create_private(directory / IGNORE)
    (directory / IGNORE).write_text(_WORDS, "utf-8")
