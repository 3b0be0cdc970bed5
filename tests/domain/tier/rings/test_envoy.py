"""Envoy's choice of a cache; tests/caches/shared/test_colos.py compares it with Envoy's own."""

from collections import Counter

import pytest

from originmap.domain.tier.cache import Cache
from originmap.domain.tier.rings.envoy import owner, xxh64

CACHES = [Cache(f"iad-{n}", "192.0.2.1") for n in range(1, 21)]
URLS = [(b"example.com", f"/{n}".encode()) for n in range(10_000)]


@pytest.mark.parametrize(
    ("data", "seed", "value"),
    [
        (b"", 0, 0xEF46DB3751D8E999),
        (b"a", 0, 0xD24EC4F1A98C6E5B),
        (b"Nobody inspects the spammish repetition", 0, 0xFBCEA83C8A378BF1),
    ],
)
def test_the_hash_has_published_values(data: bytes, seed: int, value: int) -> None:
    assert xxh64(data, seed) == value


def test_few_urls_of_other_caches_move_if_one_leaves() -> None:
    before = {url: owner(CACHES, url) for url in URLS}
    for gone in (CACHES[0], CACHES[10]):
        left = [cache for cache in CACHES if cache != gone]
        stayed = [url for url in URLS if before[url] != gone]
        moved = [url for url in stayed if owner(left, url) != before[url]]
        assert len(moved) < len(URLS) / 200


def test_the_order_of_the_caches_does_not_matter() -> None:
    assert [owner(CACHES[::-1], url) for url in URLS[:99]] == [
        owner(CACHES, url) for url in URLS[:99]
    ]


def test_shares_follow_the_weights() -> None:
    caches = [Cache("light", "192.0.2.1"), Cache("heavy", "192.0.2.2", weight=3)]
    counts = Counter(owner(caches, url).name for url in URLS)
    assert 0.95 < counts["heavy"] / 7_500 < 1.05


def test_a_hash_key_without_the_host_is_one_part() -> None:
    assert owner(CACHES, [b"/1"]) in CACHES
