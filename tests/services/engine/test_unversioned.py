"""What ccr keeps in a directory that it made does not get into a repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.engine.kafka.apps.member import member_of
from services.engine.sqlite.database import make_directory
from services.engine.unversioned import IGNORE, make_unversioned


def worked_in(directory: Path) -> None:
    with member_of(directory, "casebook", 0):
        pass


@pytest.mark.parametrize("made", [make_unversioned, make_directory, worked_in])
def test_a_directory_that_we_make_is_left_alone_by_git(made: Callable[[Path], None], tmp_path: Path) -> None:
    ours = tmp_path / "some" / "name"
    made(ours)
    assert (ours / IGNORE).read_text().splitlines()[-1] == "*"
    made(ours)


@pytest.mark.parametrize("made", [make_unversioned, make_directory, worked_in])
def test_a_directory_of_somebody_else_is_not_hidden(made: Callable[[Path], None], tmp_path: Path) -> None:
    made(tmp_path)
    assert not (tmp_path / IGNORE).exists()


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_unversioned(tmp_path / "file")
