"""Rules for zones: create, change and delete."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.errors import AccountNotFound, ZoneExists, ZoneNotFound
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecide, RecordsView
from originmap.domain.zone.rules import (
    SettingName,
    add_missing,
    create_zone,
    delete_zone,
    pause_zone,
    retype_zone,
    switch_setting,
)
from originmap.domain.zone.zone import Account, Switch, Zone, ZoneType
from tests.builders import ZONE_ID, token, zone

KEY = Key(Kind.ZONE, ZONE_ID)
OTHER = Zone("other", "example.org", "account", 1, 1)
ACCOUNT = Account("account", "Account", 1)
RECORDS: RecordsView = {KEY: zone(), Key(Kind.ACCOUNT, "account"): ACCOUNT}
SETTINGS: list[SettingName] = ["tiered_cache", "smart_tiered_cache", "regional_tiered_cache"]


def _changed(decide: RecordDecide[Zone], records: RecordsView = RECORDS) -> Zone | None:
    """The stored zone, None if nothing changes. The outcome is the zone in both cases."""
    decision = decide(records)
    if not decision.changes:
        assert decision.outcome == records[KEY]
        return None
    assert decision.changes == (RecordChange(KEY, records[KEY], decision.outcome),)
    return decision.outcome


def test_a_zone_is_created_in_an_account() -> None:
    decision = create_zone(OTHER)(RECORDS)
    assert decision.changes == (RecordChange(Key(Kind.ZONE, "other"), None, OTHER),)
    assert decision.outcome == OTHER
    with pytest.raises(AccountNotFound):
        create_zone(replace(OTHER, account_id="none"))(RECORDS)


def test_a_zone_name_is_unique_across_accounts() -> None:
    elsewhere = {**RECORDS, Key(Kind.ACCOUNT, "b"): Account("b", "B", 1)}
    with pytest.raises(ZoneExists, match=r"example\.com"):
        create_zone(replace(OTHER, name="example.com", account_id="b"))(elsewhere)


def test_pausing_or_retyping_changes_one_member_and_the_time() -> None:
    assert _changed(pause_zone(ZONE_ID, True, 7)) == replace(zone(), paused=True, modified_on=7)
    retyped = _changed(retype_zone(ZONE_ID, ZoneType.PARTIAL, 7))
    assert retyped == replace(zone(), type=ZoneType.PARTIAL, modified_on=7)


def test_setting_the_current_value_changes_nothing() -> None:
    assert _changed(pause_zone(ZONE_ID, False, 7)) is None
    assert _changed(retype_zone(ZONE_ID, ZoneType.FULL, 7)) is None


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("on", [True, False])
def test_setting_a_default_for_the_first_time_is_a_change(setting: SettingName, on: bool) -> None:
    set_once = _changed(switch_setting(ZONE_ID, setting, on, 7))
    assert set_once is not None
    assert getattr(set_once, setting) == Switch(on, 7)
    assert replace(set_once, modified_on=1, **{setting: getattr(zone(), setting)}) == zone()
    again = {**RECORDS, KEY: set_once}
    assert _changed(switch_setting(ZONE_ID, setting, on, 8), again) is None
    other_way = _changed(switch_setting(ZONE_ID, setting, not on, 8), again)
    assert getattr(other_way, setting) == Switch(not on, 8)


@given(st.lists(st.tuples(st.sampled_from(SETTINGS), st.booleans()), max_size=10))
def test_the_last_value_of_each_setting_is_used(said: list[tuple[SettingName, bool]]) -> None:
    records = dict(RECORDS)
    expected = {name: getattr(zone(), name).on for name in SETTINGS} | dict(said)
    for now, (setting, on) in enumerate(said, start=2):
        for change in switch_setting(ZONE_ID, setting, on, now)(records).changes:
            assert change.after is not None
            records[KEY] = change.after
    assert {name: getattr(records[KEY], name).on for name in SETTINGS} == expected


def test_a_deleted_zone_does_not_exist() -> None:
    assert delete_zone(ZONE_ID)(RECORDS).changes == (RecordChange(KEY, zone(), None),)


@pytest.mark.parametrize(
    "rule",
    [
        pause_zone("none", True, 7),
        retype_zone("none", ZoneType.FULL, 7),
        switch_setting("none", "tiered_cache", True, 7),
        delete_zone("none"),
        delete_zone("account"),
    ],
)
def test_an_unknown_zone_cannot_be_changed(rule: RecordDecide[object]) -> None:
    with pytest.raises(ZoneNotFound):
        rule(RECORDS)


def test_existing_records_are_not_overwritten() -> None:
    made = token("t")
    wanted = [(Kind.ZONE, replace(zone(), name="renamed.example")), (Kind.TOKEN, made)]
    expected = (RecordChange(Key(Kind.TOKEN, "t"), None, made),)
    assert add_missing(wanted)(RECORDS).changes == expected
