"""Going back to other mappings."""

import pytest

from originmap.domain.errors import ZoneChanging
from originmap.domain.history.rollback import restore
from originmap.domain.mapping.mapping import MappingChange
from tests.builders import CENTRAL, US_EAST, US_WEST, ip, view

A, B, C = ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3")


def test_only_what_differs_changes() -> None:
    now = view(("192.0.2.1", US_EAST), ("192.0.2.2", US_EAST))
    decision = restore({A: US_EAST, B: CENTRAL, C: US_WEST})(now)
    assert decision.changes == (
        MappingChange(B, US_EAST, CENTRAL),
        MappingChange(C, None, US_WEST),
    )
    assert decision.outcome == decision.changes


def test_mappings_that_did_not_exist_are_removed() -> None:
    assert restore({})(view(("192.0.2.1", US_EAST))).changes == (MappingChange(A, US_EAST, None),)


def test_a_dry_run_reports_changes_and_writes_nothing() -> None:
    decision = restore({}, dry_run=True)(view(("192.0.2.1", US_EAST)))
    assert (decision.changes, len(decision.outcome)) == ((), 1)


def test_an_address_that_came_meanwhile_is_not_overlooked() -> None:
    with pytest.raises(ZoneChanging):
        restore({})(view(("192.0.2.1", US_EAST), count=2))
