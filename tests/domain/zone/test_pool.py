"""Load-balancing pools of a zone: canonical form, limits, and the rule that replaces them."""

import pytest

from originmap.domain.errors import InvalidPools, ZoneNotFound
from originmap.domain.history.record import Key, Kind, RecordsView
from originmap.domain.mapping import address
from originmap.domain.zone.pool import MAX_MEMBERS, MAX_POOLED, MAX_POOLS, Pool, checked_pools
from originmap.domain.zone.rules import set_pools
from tests.builders import ZONE_ID, ips, zone

RECORDS: RecordsView = {Key(Kind.ZONE, ZONE_ID): zone()}
WEB = Pool("web", ("192.0.2.1", "2001:db8::1"))
TEXTS = [address.text(each) for each in ips(MAX_POOLED + 1)]


def _problems(*pools: Pool) -> list[str]:
    with pytest.raises(InvalidPools) as caught:
        checked_pools(pools)
    return list(caught.value.problems)


def test_pools_are_sorted_and_written_in_canonical_text() -> None:
    sent = [Pool("web", ("2001:DB8:0::1", "::ffff:192.0.2.1")), Pool("api", ("192.0.2.9",))]
    assert checked_pools(sent) == (Pool("api", ("192.0.2.9",)), WEB)
    assert checked_pools([]) == ()


def test_all_problems_are_reported_together() -> None:
    found = _problems(
        Pool("Web", ("192.0.2.1", "192.0.2.300")),
        Pool("b", ()),
        Pool("b", ("::ffff:192.0.2.1", "192.0.2.2", "192.0.2.2")),
    )
    assert found == [
        "pool 'Web': a name is 1 to 64 of the characters a-z, 0-9 and -",
        "pool Web: not an origin IP address: '192.0.2.300'",
        "pool b has no members: add some, or remove the pool",
        "there are two pools b: rename or join them",
        "192.0.2.1 is in the pools Web and b: an origin can be in one pool, once",
        "192.0.2.2 is in pool b twice: an origin can be in one pool, once",
    ]


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "a_b", "ä", "a\n"])
def test_a_name_is_short_and_plain(name: str) -> None:
    (problem,) = _problems(Pool(name, ("192.0.2.1",)))
    assert "a name is 1 to 64" in problem


def test_pools_and_their_members_are_limited() -> None:
    most = [Pool(f"p{n}", (TEXTS[n],)) for n in range(MAX_POOLS)]
    assert len(checked_pools(most)) == MAX_POOLS
    assert _problems(*most, Pool("more", ("192.0.2.1",))) == ["101 pools; the limit is 100 a zone"]
    full = Pool("full", tuple(TEXTS[:MAX_MEMBERS]))
    assert len(checked_pools([full])[0].members) == MAX_MEMBERS
    over = Pool("over", tuple(TEXTS[: MAX_MEMBERS + 1]))
    assert _problems(over) == ["pool over has 1,001 members; the limit is 1,000"]
    several = [Pool(f"p{n}", tuple(TEXTS[n::4])) for n in range(4)]
    assert _problems(*several) == ["the pools have 3,501 members; the limit is 3,500 a zone"]


def test_the_members_of_pools_that_are_too_large_are_not_looked_at() -> None:
    over = Pool("over", ("no address",) * (MAX_MEMBERS + 1))
    assert _problems(over) == ["pool over has 1,001 members; the limit is 1,000"]
    assert _problems(*[Pool(f"p{n}", ("no address",) * 900) for n in range(4)]) == [
        "the pools have 3,600 members; the limit is 3,500 a zone"
    ]


def test_only_the_first_100_problems_are_reported_and_long_ones_are_cut() -> None:
    found = _problems(*[Pool("a" * 5_000, ("b" * 5_000,)) for _ in range(60)])
    assert len(found) == 100
    assert max(map(len, found)) == 500


def test_replacing_the_pools_changes_the_record_of_the_zone() -> None:
    (change,) = set_pools(ZONE_ID, [WEB], 7)(RECORDS).changes
    assert change.after is not None
    assert (getattr(change.after, "pools", None), change.before) == ((WEB,), zone())
    again = set_pools(ZONE_ID, [Pool("web", tuple(reversed(WEB.members)))], 8)
    assert again({change.key: change.after}).changes == ()
    with pytest.raises(ZoneNotFound):
        set_pools("other", [WEB], 7)(RECORDS)
