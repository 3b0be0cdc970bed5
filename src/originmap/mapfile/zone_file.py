"""The addresses in a zone file: the A and AAAA records of a DNS master file (RFC 1035 §5)."""

from pathlib import Path
from typing import NamedTuple

import dns.exception
import dns.name
import dns.rdatatype
import dns.zone

from originmap.domain import address as addresses
from originmap.domain.address import Address
from originmap.domain.errors import InvalidAddress
from originmap.mapfile.errors import UnusableFile


class Records(NamedTuple):
    """The addresses of a zone, each with the names that lead to it, sorted."""

    zone: str
    names: dict[Address, list[str]]


def read_zone_file(file: Path, text: str, origin: str | None) -> Records:
    """The addresses of a zone file; `origin` is the zone's name where no $ORIGIN says it.

    Raises UnusableFile.
    """
    try:
        name = dns.name.from_text(origin) if origin else None
        zone = dns.zone.from_text(text, origin=name, relativize=False, check_origin=False)
    except (dns.exception.DNSException, ValueError) as error:
        unknown = isinstance(error, dns.zone.UnknownOrigin)
        hint = "give the zone's name: --zone example.com" if unknown else ""
        raise UnusableFile(str(file), f"not a zone file: {error}", hint) from error
    assert zone.origin is not None
    found: dict[Address, set[str]] = {}
    for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
        for owner, _, record in zone.iterate_rdatas(kind):
            try:
                address = addresses.parse(record.to_text())
            except InvalidAddress:
                continue  # a record may point at what no origin can have: 0.0.0.0
            found.setdefault(address, set()).add(owner.to_text(omit_final_dot=True))
    names = {address: sorted(found[address]) for address in sorted(found)}
    return Records(zone.origin.to_text(omit_final_dot=True), names)
