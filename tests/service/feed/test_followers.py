"""Reports of followers."""

import pytest

from originmap.domain.errors import InvalidQuery
from originmap.service.feed.followers import Followers, Report
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, new_zone


@pytest.fixture
def followers() -> Followers:
    return Followers(MemoryStore(), lambda: 1)


async def test_the_lag_of_a_node_with_a_cache_is_that_of_the_cache() -> None:
    store = MemoryStore()
    await store.write_records(new_zone(), CAUSE)
    followers = Followers(store, lambda: 1)
    followers.reported("replica", "token", "192.0.2.9", Report(1))
    followers.reported("sin", "token", "192.0.2.9", Report(1, "nginx at SIN", 0))
    assert [(f.name, followers.lag(f)) for f in followers.all()] == [("replica", 0), ("sin", 1)]


def test_a_request_for_changes_keeps_the_last_report(followers: Followers) -> None:
    followers.reported("sin", "token", "192.0.2.9", Report(1, "nginx at SIN", 1, "check failed"))
    followers.heard("sin", "token", "192.0.2.8", 2)
    (follower,) = followers.all()
    assert (follower.revision, follower.applied, follower.client) == (2, 1, "192.0.2.8")
    assert (follower.serves, follower.problem) == ("nginx at SIN", "check failed")


def test_a_report_replaces_the_previous_one(followers: Followers) -> None:
    followers.reported("sin", "token", "192.0.2.9", Report(1, "nginx at SIN", 1, "check failed"))
    followers.reported("sin", "token", "192.0.2.9", Report(2, "nginx at SIN", 2))
    (follower,) = followers.all()
    assert (follower.applied, follower.problem) == (2, "")


def test_a_name_belongs_to_a_credential(followers: Followers) -> None:
    followers.heard("sin", "one", "192.0.2.9", 1)
    followers.reported("sin", "two", "192.0.2.9", Report(2))
    assert [(f.credential, f.revision) for f in followers.all()] == [("one", 1), ("two", 2)]


def test_an_invalid_name_is_rejected(followers: Followers) -> None:
    with pytest.raises(InvalidQuery):
        followers.reported("not a name", "token", "192.0.2.9", Report(1))


def test_invented_names_do_not_displace_nodes_with_a_cache(followers: Followers) -> None:
    followers.reported("sin", "token", "192.0.2.9", Report(1, "nginx at SIN", 1, colo="SIN"))
    for n in range(10_001):
        followers.heard(f"made-up-{n}", "another", "192.0.2.8", 1)
    names = [follower.name for follower in followers.all()]
    assert (len(names), names[-1]) == (10_000, "sin")
