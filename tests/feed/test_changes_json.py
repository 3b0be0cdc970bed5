"""Encoding and decoding of changes as JSON."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from originmap.domain.access.token import RequestIP
from originmap.domain.errors import BrokenFeed
from originmap.domain.history.change import Cause, Change
from originmap.domain.history.record import TYPES, Key, Kind, RecordChange, Value
from originmap.domain.mapping.mapping import MappingChange
from originmap.domain.rollout.rollout import Rollout, RolloutState
from originmap.domain.tier.latency import Latencies, Measurement
from originmap.domain.tier.topology import Topology
from originmap.domain.zone.zone import Account, Switch
from originmap.feed.changes_json import (
    ChangeJSON,
    DeltaJSON,
    SealedDelta,
    changes_json,
    read_changes,
    seal,
    unseal,
)
from originmap.feed.record_json import NULL, check_record, raw_record
from tests.builders import CENTRAL, US_EAST, ZONE_ID, ip, policy, token, zone

CAUSE = Cause("token", "2001:db8::9", "ray-SIN")
CHANGES = [
    Change(7, 1_772_366_400_123_456, CAUSE, ZONE_ID, MappingChange(ip("::1"), None, US_EAST)),
    Change(8, 1_772_366_400_123_457, CAUSE, ZONE_ID, MappingChange(ip("::1"), US_EAST, CENTRAL)),
    Change(9, 1_772_366_400_123_457, CAUSE, ZONE_ID, MappingChange(ip("::1"), CENTRAL, None)),
    Change(10, 1, CAUSE, ZONE_ID, RecordChange(Key(Kind.ZONE, ZONE_ID), None, zone())),
    Change(
        11,
        2,
        CAUSE,
        "",
        RecordChange(Key(Kind.TOKEN, "t"), token("t", policy(True, ["z"], ["g"])), None),
    ),
]
NO_STAGES = raw_record(Rollout(1, RolloutState.RUNNING, 1, 2, released=1))
NOWHERE = raw_record(Topology(()))


def test_decoding_reverses_encoding() -> None:
    sent = msgspec.json.encode(changes_json(CHANGES))
    assert read_changes(msgspec.json.decode(sent, type=list[ChangeJSON])) == CHANGES


def test_times_are_rfc_3339_with_microseconds() -> None:
    (sent,) = msgspec.to_builtins(changes_json(CHANGES[:1]), builtin_types=(msgspec.Raw,))
    assert sent["at"] == "2026-03-01T12:00:00.123456Z"


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "dragon"},
        {"id": "192.0.2.999"},
        {"before": msgspec.Raw(b'{"vendor":1}')},
        {"before": msgspec.Raw(b'{"vendor":"\xff","region":"us-east-1"}')},
        {"kind": "zone", "before": msgspec.Raw(b'{"id":"\xff"}')},
        {"after": msgspec.Raw(b'{"vendor":"aws","region":"}s-west-2"}')},
        {"after": msgspec.Raw(b'{"vendor":"aws","region":"us-west-2\\n"}')},
        {"after": msgspec.Raw(b'{"vendor":"","region":"us-west-2"}')},
        {"after": msgspec.Raw(b'{"vendor":"aws","region":"us-east-1"}')},
        {"id": "0:0:0:0:0:0:0:1"},
        {"id": "::ffff:192.0.2.1"},
        {"at": datetime(1969, 1, 1, tzinfo=UTC)},
        {"at": datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-1)))},
        {"kind": "zone", "id": ZONE_ID, "before": NULL, "after": NULL},
        {"kind": "topology", "id": "topology", "zone_id": "", "before": NULL, "after": NOWHERE},
        {"kind": "zone", "id": ZONE_ID, "before": NULL, "after": raw_record(zone("f" * 32))},
        {"kind": "rollout", "id": "rollout", "zone_id": "", "before": NULL, "after": NO_STAGES},
        {"kind": "zone", "id": ZONE_ID, "before": NULL, "after": raw_record(zone(name="a b;c"))},
        {"kind": "token", "id": "t", "before": NULL, "after": raw_record(token("t"))},
    ],
    ids=[
        "kind",
        "id",
        "place",
        "text of a place",
        "text of a record",
        "characters of a region",
        "end of a region",
        "vendor",
        "nothing changes",
        "long form of an address",
        "mapped address",
        "time before 1970",
        "time in the year 10000",
        "no record",
        "topology without an upper tier",
        "record under another id",
        "rollout without stages",
        "name of a zone",
        "token in a zone",
    ],
)
def test_an_invalid_change_is_rejected(changed: dict[str, object]) -> None:
    with pytest.raises(BrokenFeed):
        read_changes([msgspec.structs.replace(changes_json(CHANGES)[1], **changed)])


@pytest.mark.parametrize(
    "value",
    [
        replace(zone(), created_on=9 * 10**18),
        replace(zone(), created_on=-(10**18)),
        replace(zone(), tiered_cache=Switch(True, 10**30)),
        zone("../.."),
        replace(token("t"), issued_on=9 * 10**18),
        replace(token("t"), expires_on=10**30),
        replace(token("t"), request_ip=RequestIP(("banana",))),
        Rollout(1, RolloutState.HALTED, 1, started_on=9 * 10**18),
        Rollout(-5, RolloutState.HALTED, 1),
        Rollout(1, RolloutState.HALTED, 10**25),
        Latencies((Measurement("SIN", "aws", "us-east-1", 1.0, 9 * 10**18),)),
        Latencies((Measurement("SIN", "aws", "us-east-1", 1.0, -(10**18)),)),
        Account("a" * 32, "Example", 9 * 10**18),
    ],
)
def test_a_record_that_no_primary_has_is_rejected(value: Value) -> None:
    kind = next(kind for kind, type_ in TYPES.items() if isinstance(value, type_))
    with pytest.raises(BrokenFeed):
        check_record(Key(kind, value.id), value)


def test_a_time_without_a_time_zone_is_rejected() -> None:
    sent = msgspec.json.encode(changes_json(CHANGES[:1]))
    with pytest.raises(msgspec.ValidationError, match="timezone"):
        msgspec.json.decode(sent.replace(b'456Z"', b'456"'), type=list[ChangeJSON])


def test_the_checksum_covers_the_bytes_of_the_changes() -> None:
    sent = msgspec.json.encode(seal(DeltaJSON("8c0f", 6, 11, False, changes_json(CHANGES))))
    raw = msgspec.json.decode(sent, type=SealedDelta)
    assert bytes(raw.changes) in sent
    assert raw.sha256 == hashlib.sha256(raw.changes).hexdigest()
    assert read_changes(unseal(raw).changes) == CHANGES


def test_every_flipped_bit_of_the_changes_is_detected() -> None:
    sealed = seal(DeltaJSON("8c0f", 6, 7, False, changes_json(CHANGES[:1])))
    changes = bytes(sealed.changes)
    for place in range(len(changes)):
        for bit in range(8):
            spoilt = bytearray(changes)
            spoilt[place] ^= 1 << bit
            changed = msgspec.structs.replace(sealed, changes=msgspec.Raw(bytes(spoilt)))
            with pytest.raises(BrokenFeed, match="checksum"):
                unseal(changed)


def test_changes_without_a_checksum_are_accepted() -> None:
    sealed = seal(DeltaJSON("8c0f", 6, 11, False, changes_json(CHANGES)))
    assert read_changes(unseal(msgspec.structs.replace(sealed, sha256="")).changes) == CHANGES
