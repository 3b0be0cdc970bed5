"""The values of an audit entry: a mapping or a record before and after its change, as JSON objects.

Secrets and their hashes are left out. A member of a record that is too large for a list of entries,
such as the measurements of the latencies, is replaced by its size and digest; otherwise a page of
changes of large records would take hundreds of megabytes.
"""

import dataclasses
import hashlib
import sys

import msgspec

from originmap.domain.history.record import Value
from originmap.domain.hook.hook import Hook, shown_url
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import MappingChange, Place

_SECRETS = ("secret_hash", "key_hash", "secret")
_SHORT_LIST = 100
_DIGITS = 16

UNLIMITED = sys.maxsize
"""The limit of members that are never replaced."""


def largest_member(entries: int) -> int:
    """The bytes of JSON that a member can take in a list of at most so many entries: a list of
    Cloudflare's longest page then has a few megabytes."""
    return 4 << 10 if entries <= _SHORT_LIST else 1 << 10


def mapping_values(
    change: MappingChange,
) -> tuple[dict[str, object] | None, dict[str, object] | None]:
    """A mapping before and after a change."""
    ip = addresses.text(change.address)
    return _mapping(ip, change.before), _mapping(ip, change.after)


def record_value(value: Value | None, largest: int) -> dict[str, object] | None:
    """A record, without secrets; members of more than `largest` bytes are replaced."""
    if value is None:
        return None
    return {
        field.name: _member(value, field.name, largest)
        for field in dataclasses.fields(value)
        if field.name not in _SECRETS
    }


def _mapping(ip: str, place: Place | None) -> dict[str, object] | None:
    return None if place is None else {"origin_ip": ip, **place._asdict()}


def _member(value: Value, name: str, largest: int) -> object:
    member: object = getattr(value, name)
    if isinstance(value, Hook) and name == "url":
        return shown_url(value.url)
    encoded = msgspec.json.encode(member)
    if len(encoded) <= largest:
        return msgspec.to_builtins(member)
    # Digests show whether a change concerns the member.
    digest = hashlib.sha256(encoded).hexdigest()[:_DIGITS]
    return {"omitted_bytes": len(encoded), "sha256": digest}
