"""A digest of the state at one revision: databases with equal content have equal digests.

Each record and each mapping (zone, address, region) has a hash, and the digest is the sum of the
hashes. So the order does not matter, and a change is added or undone by an addition and a
subtraction. Records are hashed as the JSON of this version. `form` identifies the members of that
JSON; between versions with different forms only the mappings can be compared.
"""

import functools
import hashlib
from collections.abc import Iterable

import msgspec

from originmap.domain.history.change import Change
from originmap.domain.history.record import TYPES, Key, Value
from originmap.domain.history.snapshot import History, Part, Record, ZoneMappings
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MappingChange, Place

_BYTES = 16
_ALL = (1 << 8 * _BYTES) - 1
_ENCODER = msgspec.json.Encoder(order="deterministic")


class StateDigest(msgspec.Struct, frozen=True):
    """The digest of database `epoch` at `revision`; `records` and `mappings` are hexadecimal."""

    epoch: str
    revision: int
    form: str
    records: str
    mappings: str


def difference(one: StateDigest, other: StateDigest) -> str:
    """Return what differs between two databases at the same revision; "" if nothing does."""
    if one.mappings != other.mappings:
        return "mappings"
    return "records" if one.form == other.form and one.records != other.records else ""


class Sums:
    """Running sums over parts and changes."""

    def __init__(self) -> None:
        self._records = self._mappings = 0

    @classmethod
    def total(cls, several: Iterable["Sums"]) -> "Sums":
        """Return the sum of several sums."""
        total = cls()
        for sums in several:
            total._records += sums._records
            total._mappings += sums._mappings
        return total

    def add(self, part: Part) -> None:
        """Add a part of a snapshot; the history does not count, as it is not part of the state."""
        if isinstance(part, Record):
            self._records += _of_record(part.key, part.value)
        elif isinstance(part, ZoneMappings):
            zone_id = part.zone_id
            self._mappings += sum(_of_mapping(zone_id, m.address, m.place) for m in part.mappings)
        else:
            assert not isinstance(part, History)

    def undo(self, change: Change) -> None:
        """Undo a change that is newer than the revision of the digest."""
        what, zone_id = change.what, change.zone_id
        if isinstance(what, MappingChange):
            if what.after is not None:
                self._mappings -= _of_mapping(zone_id, what.address, what.after)
            if what.before is not None:
                self._mappings += _of_mapping(zone_id, what.address, what.before)
            return
        if what.after is not None:
            self._records -= _of_record(what.key, what.after)
        if what.before is not None:
            self._records += _of_record(what.key, what.before)

    def digest(self, epoch: str, revision: int) -> StateDigest:
        """Return the digest of the sums."""
        return StateDigest(epoch, revision, form(), _hex(self._records), _hex(self._mappings))


@functools.cache
def form() -> str:
    """Return an identifier of the members that records have in this version."""
    schema = msgspec.json.schema_components(TYPES.values())
    return hashlib.sha256(_ENCODER.encode(schema)).hexdigest()[:16]


def _of_mapping(zone_id: str, address: Address, place: Place) -> int:
    return _hash(b"%b %b %b" % (zone_id.encode(), address, "/".join(place).encode()))


def _of_record(key: Key, value: Value) -> int:
    return _hash(_ENCODER.encode((key.kind.value, key.id, value)))


def _hash(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=_BYTES).digest())


def _hex(total: int) -> str:
    return f"{total & _ALL:0{2 * _BYTES}x}"
