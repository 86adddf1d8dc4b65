"""The `ccr` command as a process of its own, started and stopped as a person would."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

START = [sys.executable, "-c", "from services.cli.main import main; main()"]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0


class Running:
    """One command, its standard error kept in a file."""

    def __init__(self, errors: Path, *arguments: str) -> None:
        self.errors = errors
        plain = {name: value for name, value in os.environ.items() if not name.startswith("CCR_")}
        with errors.open("wb") as file:
            self.process = subprocess.Popen(
                [*START, *arguments], cwd=ROOT, env=plain, stdout=subprocess.PIPE, stderr=file, text=True
            )

    def line(self) -> dict[str, Any]:
        """The next line of its output, as JSON; a command that says nothing for too long is killed."""
        assert self.process.stdout is not None
        patience = threading.Timer(PATIENCE_S, self.process.kill)
        patience.start()
        try:
            text = self.process.stdout.readline()
        finally:
            patience.cancel()
        assert text, f"ended with {self.process.wait()}: {self.told}"
        found: dict[str, Any] = orjson.loads(text)
        return found

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait; returns the exit status."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        """Wait for its end; returns the exit status."""
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode

    @property
    def told(self) -> str:
        """What it wrote on standard error."""
        return self.errors.read_text()


@contextlib.contextmanager
def running(errors: Path, *arguments: str) -> Iterator[Running]:
    """A command that is not left behind."""
    command = Running(errors, *arguments)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
        if not command.process.stdout.closed:
            command.process.communicate()
