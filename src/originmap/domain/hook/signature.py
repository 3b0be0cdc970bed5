"""The signature of a webhook, by the specification of Standard Webhooks 1.0.0.

The secret is `whsec_` and 24 to 64 bytes in Base64. What is signed is the ID of the message, the
time in seconds and the body, joined by dots, so that a receiver can refuse repeated and changed
messages: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac

from originmap.domain.hook.errors import InvalidHook

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64


def signing_key(secret: str) -> bytes:
    """The key in a secret. Raises InvalidHook, without the secret."""
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise InvalidHook(
            f"secret: it must be {PREFIX} followed by {_SHORTEST} to {_LONGEST} bytes in Base64"
        )
    return key


def signed_headers(secret: str, message_id: str, now: int, body: bytes) -> dict[str, str]:
    """The headers of a message. `now` is in microseconds since 1970 UTC. Raises InvalidHook."""
    seconds = str(now // 1_000_000)
    content = b".".join((message_id.encode(), seconds.encode(), body))
    digest = hmac.digest(signing_key(secret), content, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
