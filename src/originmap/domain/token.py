"""API tokens: a secret that stands for a set of policies.

Of the secret only its SHA-256 is kept: it is 40 random characters, so a slow hash would add
nothing. Secrets are made in `service.secret` and shown once.
"""

import hashlib
import string
from dataclasses import dataclass

from originmap.domain.access import Policy

SECRET_LENGTH = 40
ALPHABET = string.ascii_letters + string.digits + "_-"
"""What the secrets made here consist of."""

LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Token:
    """An API token without its secret."""

    id: str
    name: str
    secret_hash: str  # SHA-256, hex
    policies: tuple[Policy, ...]
    issued_on: int  # microseconds since 1970-01-01 UTC
    modified_on: int


def hash_secret(secret: str) -> str:
    """What is kept of a secret: SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()
