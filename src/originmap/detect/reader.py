"""Reads a range file of any vendor. JSON is recognized by its content; a geofeed is read for the
vendor that the caller names."""

from collections.abc import Callable

import msgspec

from originmap.detect import aws, azure, cloudflare, fastly, gcp, geofeeds, oci, vultr
from originmap.detect.content import Content
from originmap.detect.errors import DamagedRanges
from originmap.domain.detection.ranges import Publication

_ABSENT = msgspec.Raw()


class _Top(msgspec.Struct):
    """The members that identify the vendor of a file; all others are skipped."""

    addresses: msgspec.Raw = _ABSENT
    changeNumber: msgspec.Raw = _ABSENT
    cloud: msgspec.Raw = _ABSENT
    createDate: msgspec.Raw = _ABSENT
    creationTime: msgspec.Raw = _ABSENT
    ipv6_addresses: msgspec.Raw = _ABSENT
    ipv6_prefixes: msgspec.Raw = _ABSENT
    last_updated_timestamp: msgspec.Raw = _ABSENT
    prefixes: msgspec.Raw = _ABSENT
    regions: msgspec.Raw = _ABSENT
    result: msgspec.Raw = _ABSENT
    subnets: msgspec.Raw = _ABSENT
    success: msgspec.Raw = _ABSENT
    updated: msgspec.Raw = _ABSENT
    values: msgspec.Raw = _ABSENT


# The top-level members that identify a vendor's file, and its reader.
_READERS: dict[frozenset[str], Callable[[Content], Publication]] = {
    frozenset({"createDate", "prefixes", "ipv6_prefixes"}): aws.read,
    frozenset({"changeNumber", "cloud", "values"}): azure.read,
    frozenset({"creationTime", "prefixes"}): gcp.read,
    frozenset({"last_updated_timestamp", "regions"}): oci.read,
    frozenset({"subnets", "updated"}): vultr.read,
    frozenset({"addresses", "ipv6_addresses"}): fastly.read,
    frozenset({"result", "success"}): cloudflare.read,
}


JSON_VENDORS = tuple(
    sorted(each.VENDOR for each in (aws, azure, cloudflare, fastly, gcp, oci, vultr))
)
"""The vendors whose files are JSON. All others publish geofeeds."""


def read(content: Content, vendor: str | None = None) -> Publication:
    """Read a range file; a geofeed needs its `vendor`. Raises DamagedRanges with the file and the
    reason."""
    if not content.data.strip():
        raise DamagedRanges(content.name, "it is empty")
    try:
        if vendor is None or vendor in JSON_VENDORS:
            publication = _reader(content)(content)
        else:
            publication = geofeeds.read(content, vendor)
    except RecursionError:
        raise DamagedRanges(content.name, "it is nested too deeply") from None
    except ValueError as error:  # msgspec's, UnicodeDecodeError, and those of the readers
        raise DamagedRanges(content.name, str(error)) from error
    if not publication.ranges:
        raise DamagedRanges(content.name, "it has no prefixes")
    return publication


def _reader(content: Content) -> Callable[[Content], Publication]:
    if content.data.lstrip().startswith(b"<"):
        raise ValueError("it is a web page, not JSON: download the file that the page links to")
    if geofeeds.looks_like_one(content.data):
        raise ValueError("it looks like a geofeed: name its vendor with --vendor")
    top = msgspec.json.decode(content.data, type=_Top)
    present = {name for name in top.__struct_fields__ if getattr(top, name) is not _ABSENT}
    for members, reader in _READERS.items():
        if members <= present:
            return reader
    raise ValueError("it is not a range file of a vendor in docs/detection.md")
