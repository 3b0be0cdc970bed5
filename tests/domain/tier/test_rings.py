"""Consistent hashing: shares by weight, and the URLs that move if a cache leaves."""

from collections import Counter

import pytest

from originmap.domain.errors import InvalidQuery
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.hash_key import HashKey, hash_key
from originmap.domain.tier.key_moves import moved_share
from originmap.domain.tier.rings import trafficserver
from originmap.domain.tier.rings.table import MOST_POINTS, RINGS, Ring, owners
from originmap.domain.tier.topology import HashPart

CACHES = tuple(
    Cache(f"iad-{n}", f"192.0.2.{n}", weight=weight) for n, weight in enumerate((1, 1, 2, 4))
)
KEYS = [HashKey(b"", b"/pictures/%d?size=%d" % (n, n % 7)) for n in range(10_000)]
WITH_HOST = HashKey(b"example.com", b"/a?b")


@pytest.fixture(params=sorted(RINGS))
def ring(request: pytest.FixtureRequest) -> Ring:
    return RINGS[request.param]


def test_urls_are_spread_by_weight(ring: Ring) -> None:
    counts = Counter(ring.owner(CACHES, key) for key in KEYS)
    total = sum(cache.weight for cache in CACHES)
    for cache in CACHES:
        share = len(KEYS) * cache.weight / total
        assert 0.9 * share <= counts[cache] <= 1.1 * share, counts


def test_a_cache_that_leaves_loses_its_urls_and_about_its_share_moves(ring: Ring) -> None:
    fewer = CACHES[1:]
    moved = [key for key in KEYS if ring.owner(CACHES, key) != ring.owner(fewer, key)]
    its = [key for key in KEYS if ring.owner(CACHES, key) == CACHES[0]]
    expected = moved_share(CACHES, fewer)
    assert expected == 1 / 8
    assert 0.8 * expected <= len(moved) / len(KEYS) <= 1.2 * expected
    assert set(its) <= set(moved)
    # Envoy's MAGLEV moves a few others.
    assert len(moved) <= len(its) * (1.02 if ring is RINGS["envoy"] else 1)


def test_the_order_of_caches_does_not_matter(ring: Ring) -> None:
    backwards = tuple(reversed(CACHES))
    assert all(ring.owner(CACHES, key) == ring.owner(backwards, key) for key in KEYS[:500])


def test_a_ring_that_takes_too_long_is_not_built() -> None:
    many = [Cache(f"c{n}", f"c{n}.example", weight=256) for n in range(99)]
    small = {name for name, ring in RINGS.items() if ring.points(many) <= MOST_POINTS}
    found = owners(many, KEYS[0])
    assert {name for name, owner in found.items() if owner is not None} == small
    assert "nginx" not in small


def test_the_only_cache_of_a_colo_owns_every_url() -> None:
    assert set(owners(CACHES[:1], KEYS[0]).values()) == {"iad-0"}
    assert set(owners((), KEYS[0]).values()) == {None}


HOST, PATH, QUERY = HashPart.HOST, HashPart.PATH, HashPart.QUERY


@pytest.mark.parametrize(
    ("url", "parts", "key"),
    [
        ("https://www.Example.com:8443/a/B?c=D", (HOST, PATH, QUERY), b"www.example.com/a/B?c=D"),
        ("www.example.com/a?c", (PATH, HOST), b"www.example.com/a"),
        ("http://[2001:DB8::1]:80/a?c", (PATH, QUERY), b"/a?c"),
        ("http://a/b?c", (QUERY,), b"c"),
        ("http://a/b?c", (HOST, QUERY), b"ac"),
        ("http://a", (HOST, PATH, QUERY), b"a/"),
        ("http://a/b?", (PATH, QUERY), b"/b?"),
    ],
)
def test_the_key_has_the_chosen_parts(url: str, parts: tuple[HashPart, ...], key: bytes) -> None:
    assert hash_key(url, parts).whole == key


@pytest.mark.parametrize(
    "url", ["", "/a", "ftp://a/b", "http://a/b c", "http://a/b#c", "http://a/ä"]
)
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidQuery, match="url must be"):
        hash_key(url, (HOST,))


def test_the_moved_share_of_weights() -> None:
    one, two = CACHES[2], Cache("two", "192.0.2.9", weight=2)
    assert moved_share([one, two], [one, two]) == 0
    assert moved_share([one], [one, two]) == 0.5
    assert moved_share([one, two], [one, Cache("two", "192.0.2.9", weight=6)]) == 0.5
    assert moved_share([one], [two]) == 1
    assert moved_share([], []) == 0


def test_siphash_with_a_key_of_zeros_has_known_values() -> None:
    assert trafficserver.siphash(b"") == 0x1E924B9D737700D7
    assert trafficserver.siphash(b"Hello world") == 0xC9E8A3021F3822D9


def test_traffic_server_hashes_the_url_after_remap_so_a_key_with_the_host_is_unknown() -> None:
    assert owners(CACHES, WITH_HOST)["trafficserver"] is None
    assert owners(CACHES, HashKey(b"", b"/a?b"))["trafficserver"] is not None
