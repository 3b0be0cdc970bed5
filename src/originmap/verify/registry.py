"""All checks in the order in which they run, and the facts that no check tries.

To add a check, copy one: a function in `checks`, and its row in the CHECKS of that module.
"""

from originmap.verify.check import Check
from originmap.verify.checks import (
    batches,
    credentials,
    envelope,
    listing,
    mapping_reads,
    mapping_writes,
    regions,
    routing,
    spelling,
)

CHECKS: tuple[Check, ...] = (
    *envelope.CHECKS,
    *listing.CHECKS,
    *mapping_reads.CHECKS,
    *mapping_writes.CHECKS,
    *spelling.CHECKS,
    *batches.CHECKS,
    *regions.CHECKS,
    *routing.CHECKS,
    *credentials.CHECKS,
)

_CLIENTS = "it is about official clients, not about an answer"
_LIMIT = "it needs a zone with 3,500 mappings"
_V1 = "the v1 routes are deprecated, and verify sends nothing there"
_TOKENS = "it needs other tokens, and verify makes none"
_RATE = "it needs more requests than the rate limit allows"
_ZONES = "verify neither reads nor writes other zones or the zone itself"
_WRITES = "verify neither reads nor changes accounts and users, and changes no settings"
_OURS = "it is about Originmap alone"

_REASONS: dict[str, tuple[str, ...]] = {
    _CLIENTS: ("P-GEN-11", "P-GEN-12", "P-RATE-6"),
    _LIMIT: ("P-PUT-5", "P-BPUT-5", "D-8"),
    _V1: (
        *(f"P-V1-{number}" for number in range(1, 11)),
        *("D-21", "D-24", "D-52"),
        *("U-19", "U-22", "U-27"),
    ),
    _TOKENS: (
        *("P-AUTH-9", "P-AUTH-10", "D-17", "D-25", "D-32", "D-43", "D-48"),
        *("D-64", "D-65"),
        *(f"P-TOKEN-{number}" for number in range(3, 15)),
        *("U-16", "U-23", "U-26"),
    ),
    _RATE: ("P-RATE-1", "P-RATE-2", "P-RATE-4", "P-RATE-5"),
    "it needs many wrong credentials, which could block the client": ("P-AUTH-11", "D-38"),
    "it needs a key of a user beside the token": ("D-35",),
    _ZONES: (
        *(f"P-ZONE-{number}" for number in range(1, 12)),
        *("D-29", "D-36", "D-45", "D-46", "D-61", "D-62"),
    ),
    _WRITES: ("P-SET-2", "P-ACC-1", "P-ACC-2", "P-ACC-3", "D-47", "D-63", "D-67"),
    _OURS: ("D-37", "D-66"),
    "it is about limits of HTTP, which a proxy in front of the server has too": ("D-50",),
    "compare the upper_tier_colos of supported_regions in the recording (--record)": ("U-24",),
    "it is about load balancers, not about this API": ("U-25",),
}

UNTRIED: dict[str, str] = {fact: reason for reason, facts in _REASONS.items() for fact in facts}
"""By the ID of a fact that no check tries: why."""
