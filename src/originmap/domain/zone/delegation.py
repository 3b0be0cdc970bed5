"""Name servers and verification key of a zone, which its owner would give to the registrar.

Originmap does not serve DNS, but clients read these members. They are derived from the zone's id
and not stored, so they are the same on every read and on every server.
"""

import hashlib

from originmap.domain.zone.zone import Zone, ZoneType

_SUFFIX = "originmap.invalid"
"""A name under a reserved top-level domain (RFC 2606 §2, RFC 6761 §6.4)."""


def name_servers(zone: Zone) -> tuple[str, ...]:
    """Two name servers for a zone whose DNS would be hosted here, none for other zones."""
    if zone.type not in (ZoneType.FULL, ZoneType.SECONDARY):
        return ()
    return f"ns1.{zone.id}.{_SUFFIX}", f"ns2.{zone.id}.{_SUFFIX}"


def verification_key(zone: Zone) -> str | None:
    """Two numbers of 9 and 10 digits for a zone whose DNS is hosted elsewhere, else None."""
    if zone.type is not ZoneType.PARTIAL:
        return None
    digest = hashlib.sha256(b"verification key " + zone.id.encode()).digest()
    first, second = (int.from_bytes(part) for part in (digest[:16], digest[16:]))
    return f"{10**8 + first % (9 * 10**8)}-{10**9 + second % (9 * 10**9)}"
