"""Rules for one mapping."""

import pytest

from originmap.domain.errors import MappingExists, MappingNotFound, TooManyMappings
from originmap.domain.mapping import mapping
from originmap.domain.mapping.mapping import MAX_MAPPINGS, Decision, MappingChange
from tests.builders import US_EAST, US_WEST, created, ip, view


def test_a_new_address_gets_a_mapping() -> None:
    decide = mapping.put(ip("192.0.2.1"), US_EAST)
    assert decide(view()) == Decision((created("192.0.2.1", US_EAST),), None)


def test_another_place_replaces_the_stored_one() -> None:
    decide = mapping.put(ip("192.0.2.1"), US_WEST)
    change = MappingChange(ip("192.0.2.1"), US_EAST, US_WEST)
    assert decide(view(("192.0.2.1", US_EAST))) == Decision((change,), None)


def test_the_stored_place_again_changes_nothing_and_gives_the_stored_mapping() -> None:
    seen = view(("192.0.2.1", US_EAST))
    decision = mapping.put(ip("192.0.2.1"), US_EAST)(seen)
    assert decision == Decision((), seen.current[ip("192.0.2.1")])


def test_a_full_zone_accepts_only_replacements() -> None:
    full = view(("192.0.2.1", US_EAST), count=MAX_MAPPINGS)
    with pytest.raises(TooManyMappings):
        mapping.put(ip("192.0.2.2"), US_EAST)(full)
    assert len(mapping.put(ip("192.0.2.1"), US_WEST)(full).changes) == 1
    assert mapping.put(ip("192.0.2.1"), US_EAST)(full).changes == ()


def test_the_last_place_of_a_zone_can_be_taken() -> None:
    assert mapping.put(ip("192.0.2.2"), US_EAST)(view(count=MAX_MAPPINGS - 1)).changes


def test_deleting_removes_the_mapping_and_returns_it() -> None:
    seen = view(("192.0.2.1", US_EAST))
    decision = mapping.delete(ip("192.0.2.1"))(seen)
    change = MappingChange(ip("192.0.2.1"), US_EAST, None)
    assert decision == Decision((change,), seen.current[ip("192.0.2.1")])


def test_create_is_a_put_without_an_existing_mapping() -> None:
    decide = mapping.create(ip("192.0.2.1"), US_EAST)
    assert decide(view()) == Decision((created("192.0.2.1", US_EAST),), None)
    for stored in (US_EAST, US_WEST):
        with pytest.raises(MappingExists):
            decide(view(("192.0.2.1", stored)))
    with pytest.raises(TooManyMappings):
        decide(view(count=MAX_MAPPINGS))


def test_deleting_a_missing_mapping_is_an_error() -> None:
    with pytest.raises(MappingNotFound):
        mapping.delete(ip("192.0.2.1"))(view(("192.0.2.2", US_EAST)))
