"""What a zone's owner is told for its registrar: name servers and a verification key.

Nothing answers DNS here. Programs read these members all the same, so they are made of the
zone's id: the same on every read and on every server, for zones of any age, and kept nowhere.
"""

import hashlib

from originmap.domain.zone.zone import Zone, ZoneType

_SUFFIX = "originmap.invalid"
"""Under a top-level domain that will never exist (RFC 2606 §2, RFC 6761 §6.4)."""


def name_servers(zone: Zone) -> tuple[str, ...]:
    """Two for a zone whose DNS would be hosted here, none for others."""
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
