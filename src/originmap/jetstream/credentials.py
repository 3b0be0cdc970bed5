"""Credentials for NATS servers, from one file whose content says what they are.

| content | credentials |
|---|---|
| `-----BEGIN NATS USER JWT-----` in a line | a credentials file of nsc: JWT and seed |
| a line that starts with SU | the seed of an nkey |
| USER:PASSWORD | user and password |
| anything else in one line | a token |
"""

import re
from dataclasses import dataclass, field
from importlib.util import find_spec

from originmap.outbound.errors import UnusableEnvironment

_SEED = re.compile(r"SU[A-Z2-7]{56}")
_PRINTABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class NatsCredentials:
    """At most one of a credentials file's content, an nkey's seed, user and password, a token."""

    creds: str = field(default="", repr=False)
    seed: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def read_credentials(source: str, text: str) -> NatsCredentials:
    """Read credentials; `source` is the variable or option for messages. Raises
    UnusableEnvironment, which does not quote the text."""
    if "BEGIN NATS USER JWT" in text:
        if "BEGIN USER NKEY SEED" not in text:
            raise _unusable(source, "the credentials have a JWT but no seed")
        _require_nkeys(source)
        return NatsCredentials(creds=text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    seeds = [line for line in lines if _SEED.fullmatch(line)]
    if len(seeds) == 1:
        _require_nkeys(source)
        return NatsCredentials(seed=seeds[0])
    if len(lines) != 1 or not _PRINTABLE.fullmatch(lines[0]):
        raise _unusable(source, "they are not one line of printable ASCII characters")
    user, colon, password = lines[0].partition(":")
    if not colon:
        return NatsCredentials(token=user)
    if not user or not password:
        raise _unusable(source, "the user or the password is empty")
    return NatsCredentials(user=user, password=password)


def _require_nkeys(source: str) -> None:
    if find_spec("nkeys") is None:
        raise UnusableEnvironment(
            source,
            "these credentials for NATS need the package nkeys, which is not installed",
            "pip install 'originmap[nats]', or use a password or a token",
        )


def _unusable(source: str, problem: str) -> UnusableEnvironment:
    return UnusableEnvironment(
        source,
        f"invalid credentials for NATS: {problem}",
        "give the content of a .creds file, the seed of an nkey, USER:PASSWORD, or a token",
    )
