"""The own routes of an Originmap server, for a client of its v4 API."""

import msgspec

from originmap.client.connection import APIConnection
from originmap.client.errors import ClientError
from originmap.domain.mapping.own_regions import OwnRegions
from originmap.settings import CLOUDFLARE_API

_V4 = "/client/v4"


def native_base(connection: APIConnection) -> str | None:
    """The URL of the own routes; None if the server cannot be an Originmap."""
    base = connection.base_url
    if base == CLOUDFLARE_API or not base.endswith(_V4):
        return None
    return base.removesuffix(_V4) + "/originmap/v1"


def own_regions(connection: APIConnection) -> OwnRegions:
    """The own regions of a server; none if it is not an Originmap or refuses."""
    native = native_base(connection)
    if native is None:
        return OwnRegions()
    try:
        answer = connection.ask("GET", f"{native}/catalogue")
        return msgspec.json.decode(answer.result, type=OwnRegions)
    except (ClientError, msgspec.MsgspecError, RecursionError):
        return OwnRegions()
