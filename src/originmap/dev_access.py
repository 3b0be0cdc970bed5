"""What a client needs to use a development server."""

import json
from typing import NamedTuple


class DevAccess(NamedTuple):
    """The addresses and the well-known credentials of a development server."""

    url: str
    base_url: str  # of Cloudflare's API
    port: int
    token: str
    email: str
    key: str
    account_id: str
    zone_id: str
    zone: str


def read_access(line: bytes) -> DevAccess:
    """The access in the line that `originmap dev --port 0` prints. Raises ValueError."""
    members = json.loads(line)
    try:
        return DevAccess(**members)
    except TypeError as error:
        raise ValueError(str(error)) from None


def variables(access: DevAccess) -> dict[str, str]:
    """The environment variables of Cloudflare's official tools, and of our commands."""
    return {
        "CLOUDFLARE_BASE_URL": access.base_url,
        "CLOUDFLARE_API_TOKEN": access.token,
        "CLOUDFLARE_ACCOUNT_ID": access.account_id,
        "CLOUDFLARE_ZONE_ID": access.zone_id,
        "ORIGINMAP_SERVER": access.url,
        "ORIGINMAP_TOKEN": access.token,
    }


OTHER_CREDENTIALS = ("CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL")
"""Variables that the official tools use besides a token, or instead of it."""
