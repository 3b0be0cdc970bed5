"""Guards: what a plan must not do without being told so."""

import pytest

from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.domain.plan.guard import objections
from originmap.domain.plan.plan import plan_of, plan_zone
from originmap.domain.plan.selection import Selection, pattern
from tests.builders import US_EAST, US_WEST, ip, ips

ID = "0" * 32


def texts(desired, live, selection=Selection(), **allowed) -> list[str]:  # noqa: B008
    plan = plan_of([plan_zone(ID, "example.com", desired, live, selection)])
    return [each.text for each in objections(plan, **allowed)]


@pytest.mark.parametrize(
    ("existing", "gone", "refused"), [(10, 3, False), (10, 4, True), (1, 1, True)]
)
def test_more_than_30_percent_are_not_deleted_at_once(existing, gone, refused) -> None:
    live = dict.fromkeys(ips(existing), US_EAST)
    desired = dict.fromkeys(ips(existing)[gone:], US_EAST)
    assert bool(texts(desired, live)) is refused
    assert texts(desired, live, allow_mass_change=True) == []


def test_more_than_30_percent_are_not_changed_at_once() -> None:
    live = dict.fromkeys(ips(10), US_EAST)
    changed = live | dict.fromkeys(ips(4), US_WEST)
    (text,) = texts(changed, live)
    assert text.startswith("example.com: 4 of 10 existing mappings would be changed or deleted")


def test_changes_and_deletions_count_together() -> None:
    live = dict.fromkeys(ips(10), US_EAST)
    desired = dict.fromkeys(ips(10)[2:], US_EAST) | dict.fromkeys(ips(10)[2:4], US_WEST)
    assert len(texts(desired, live)) == 1


def test_new_mappings_are_no_mass_change() -> None:
    live = dict.fromkeys(ips(10), US_EAST)
    assert texts(dict.fromkeys(ips(1000), US_EAST), live) == []
    assert texts(dict.fromkeys(ips(1000), US_EAST), {}) == []


def test_ignored_mappings_do_not_reduce_the_share() -> None:
    live = dict.fromkeys([*ips(2), ip("192.0.2.1")], US_EAST)
    ignoring = Selection(ignore=(pattern("10.0.0.0/8"),))
    assert "1 of 1" in texts({}, live, ignoring)[0]


def test_a_zone_never_exceeds_its_limit() -> None:
    live = dict.fromkeys(ips(MAX_MAPPINGS), US_EAST)
    desired = {ip("192.0.2.1"): US_EAST}
    (text,) = texts(desired, live, Selection(delete=False))
    assert "would have 3,501 mappings" in text
