"""As whom a client of Kafka speaks, and whose certificates it believes."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CA_FILE = "CCR_KAFKA_CA_FILE"
USER = "CCR_KAFKA_USER"
PASSWORD_FILE = "CCR_KAFKA_PASSWORD_FILE"  # noqa: S105  # the name of a variable
PASSWORD = "CCR_KAFKA_PASSWORD"  # noqa: S105
"""Environment variables. A password is never an argument: others on the machine can see those."""
MECHANISM = "SCRAM-SHA-512"
"""How a client proves its password without sending it (RFC 5802, RFC 7677 with SHA-512)."""
LONGEST_PASSWORD = 256
"""Characters of a password; those that `ccr kafka up --secure` makes have 43."""
_USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class SecurityRefused(ValueError):
    """What was given does not make a secure connection: says what is missing or wrong, and never holds a password."""


@dataclass(frozen=True, slots=True)
class Security:
    """TLS to a cluster, and a user of it. No `Security` (None, everywhere) is plain text without a password."""

    ca_file: Path
    """The certificate authority's certificate (PEM); only nodes whose certificates it signed are believed."""
    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _USER_NAME.fullmatch(self.user):
            raise SecurityRefused("a Kafka user's name has 1 to 64 letters, digits, '.', '_' and '-'")
        if not self.password:
            raise SecurityRefused(f"the password of {self.user} is empty")
        if len(self.password) > LONGEST_PASSWORD or not self.password.isprintable():
            raise SecurityRefused(
                f"the password of {self.user} is not one line of at most {LONGEST_PASSWORD} printable characters"
            )

    def tls(self) -> ssl.SSLContext:
        """A context that believes this authority alone and checks names. Raises `SecurityRefused`."""
        try:
            return ssl.create_default_context(cafile=os.fspath(self.ca_file))
        except ssl.SSLError as bad:
            raise SecurityRefused(f"{self.ca_file} is not a certificate (PEM)") from bad
        except OSError as failed:
            raise SecurityRefused(f"{self.ca_file} cannot be read: {failed.strerror}") from failed


def read_security(
    ca_file: Path | None = None,
    user: str | None = None,
    password_file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Security | None:
    """What a command or a service was given, by options or, where there is none, by the environment.

    None when nothing at all was given. Raises `SecurityRefused` when only a part was: a client that was meant to be
    secure never falls back to plain text.
    """
    ca_file = ca_file or _path(environ.get(CA_FILE))
    user = user or environ.get(USER) or None
    password_file = password_file or _path(environ.get(PASSWORD_FILE))
    password = environ.get(PASSWORD) or None
    if not any((ca_file, user, password_file, password)):
        return None
    if password_file and password:
        raise SecurityRefused(f"Kafka's password is given twice, in a file and in {PASSWORD}: give it once")
    if password_file:
        password = _read(password_file)
    if ca_file is None or user is None or password is None:
        raise SecurityRefused(f"a secure connection to Kafka also needs {_missing(ca_file, user, password)}")
    made = Security(ca_file, user, password)
    made.tls()
    return made


def _missing(ca_file: Path | None, user: str | None, password: str | None) -> str:
    return " and ".join(
        named
        for named, found in (
            (f"the authority's certificate (--ca-file or {CA_FILE})", ca_file is not None),
            (f"the user (--user or {USER})", user is not None),
            (f"the password (--password-file, {PASSWORD_FILE} or {PASSWORD})", password is not None),
        )
        if not found
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LONGEST_PASSWORD * 4 + 2).decode().rstrip("\r\n")
    except OSError as failed:
        raise SecurityRefused(f"{path} cannot be read: {failed.strerror}") from failed
    except UnicodeDecodeError:
        # Its own text, and a chain, would quote the password.
        raise SecurityRefused(f"{path} does not hold a password: it is not text (UTF-8)") from None
