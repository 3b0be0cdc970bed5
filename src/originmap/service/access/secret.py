"""Random secrets and identifiers from the system's CSPRNG."""

import secrets

from originmap.domain.access.token import ALPHABET, SECRET_LENGTH


def new_secret() -> str:
    """Return a secret for a token: 40 characters, about 240 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))


def new_id() -> str:
    """Return an identifier in Cloudflare's form: 32 lower-case hex digits."""
    return secrets.token_hex(16)
