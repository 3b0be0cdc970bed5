"""Changes as JSON: read again they are the same."""

import msgspec
import pytest

from originmap.domain.change import Cause, Change
from originmap.domain.errors import BrokenFeed
from originmap.domain.mapping import MappingChange
from originmap.domain.record import Key, Kind, RecordChange
from originmap.feed.changes_json import ChangeJSON, changes_json, read_changes
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


def test_what_was_written_is_read() -> None:
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
    ],
    ids=["kind", "id", "place", "text of a place", "text of a record"],
)
def test_what_cannot_be_understood_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(BrokenFeed):
        read_changes([msgspec.structs.replace(changes_json(CHANGES)[1], **changed)])


def test_a_time_of_no_zone_is_refused() -> None:
    sent = msgspec.json.encode(changes_json(CHANGES[:1]))
    with pytest.raises(msgspec.ValidationError, match="timezone"):
        msgspec.json.decode(sent.replace(b'456Z"', b'456"'), type=list[ChangeJSON])
