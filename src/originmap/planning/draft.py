"""Drafts a mappings file from origins and the vendors' published ranges.

Regions that the ranges prove are written as mappings. The rest are written as comments with the
reason, for a person to decide.
"""

from collections.abc import Iterable
from typing import NamedTuple, TextIO

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.plan import shown
from originmap.mapfile.writer import quoted


class NewOrigin(NamedTuple):
    """An address, the hostnames that resolve to it, and its proved region or the reason why
    there is none."""

    address: Address
    names: list[str]
    place: Place | None
    reason: str


def write_draft(zone: str, origins: Iterable[NewOrigin], out: TextIO) -> None:
    """Write a mappings file for review."""
    origins = sorted(origins)
    proved = [origin for origin in origins if origin.place is not None]
    out.write("# Look at every line, then: originmap plan FILE\n")
    out.write(f"zones:\n  {quoted(zone)}:\n    mappings:{'' if proved else ' {}'}\n")
    for origin in proved:
        assert origin.place is not None
        vendor, region = origin.place
        value = shown(origin.place)
        if origin.names:
            comment = quoted(" ".join(origin.names))
            value = f"{{vendor: {vendor}, region: {region}, comment: {comment}}}"
        out.write(f"      {quoted(addresses.text(origin.address))}: {value}\n")
    rest = [origin for origin in origins if origin.place is None]
    if rest:
        out.write("# Not found in published ranges: write vendor/region, or leave them out.\n")
    for origin in rest:
        names = f" ({' '.join(origin.names)})" if origin.names else ""
        key = quoted(addresses.text(origin.address))
        out.write(f"#     {key}: vendor/region{names}: {origin.reason}\n")
