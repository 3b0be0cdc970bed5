"""The response to GET of one mapping, byte for byte, as the bare anchors send it."""

from bench.harness.dataset import REGIONS, VENDOR, ZONE_SIZE, address, mappings_path

MODIFIED_ON = "2026-03-01T12:00:00.000000Z"

NOT_FOUND = b'{"errors":[{"code":1142,"message":"not found"}],"messages":[],"result":null}'
UNAUTHORIZED = b'{"errors":[{"code":10000,"message":"Authentication error"}],"result":null}'


def one(ip: str, region: str = REGIONS[0]) -> bytes:
    """The envelope around one mapping."""
    return (
        '{"errors":[],"messages":[],"result":{'
        f'"modified_on":"{MODIFIED_ON}","origin_ip":"{ip}",'
        f'"region":"{region}","vendor":"{VENDOR}"'
        '},"success":true}'
    ).encode()


def by_path() -> dict[str, bytes]:
    """The answer for every mapping of the zone, by request path."""
    ips = [address(index) for index in range(ZONE_SIZE)]
    return {f"{mappings_path()}/{ip}": one(ip) for ip in ips}
