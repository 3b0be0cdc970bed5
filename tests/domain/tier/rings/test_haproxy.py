"""HAProxy's choice of a cache; tests/caches/shared/test_colos.py compares it with HAProxy's own."""

from collections import Counter
from itertools import combinations
from zlib import crc32

from originmap.domain.tier.cache import Cache
from originmap.domain.tier.rings.haproxy import ids, owner

CACHES = [Cache(f"iad-{n}", "192.0.2.1", weight=1 + n % 3) for n in range(1, 9)]
URLS = [f"example.com/{n}".encode() for n in range(2_000)]


def test_urls_of_other_caches_stay_if_one_leaves() -> None:
    before = {url: owner(CACHES, url) for url in URLS}
    for gone in CACHES:
        left = [cache for cache in CACHES if cache != gone]
        after = {url: owner(left, url) for url in URLS}
        assert {url for url in URLS if before[url] != after[url]} == {
            url for url in URLS if before[url] == gone
        }


def test_the_order_of_the_caches_does_not_matter() -> None:
    before = [owner(CACHES, url) for url in URLS]
    assert [owner(CACHES[::-1], url) for url in URLS] == before


def test_a_cache_alone_owns_every_url() -> None:
    assert Counter(owner(CACHES[:1], url).name for url in URLS) == {"iad-1": len(URLS)}


def test_names_with_the_same_number_get_different_ones() -> None:
    numbers: dict[int, str] = {}
    names = (f"{colo}-{n}" for n in range(4_000) for colo in ("a", "bc", "def", "ghij", "klmno"))
    first, second = next(
        (other, name)
        for name in names
        if (other := numbers.setdefault(crc32(name.encode()) % (1 << 20), name)) != name
    )
    for pair in ([first, second], [second, first]):
        found = ids(pair)
        assert found == ids(sorted(pair))
        assert len(set(found.values())) == 2
    assert ids([first]) == {first: crc32(first.encode()) % (1 << 20)}
    assert ids([second], ids([first]).values()) != ids([second])


def test_numbers_depend_on_nothing_but_the_name() -> None:
    names = [cache.name for cache in CACHES]
    alone = {name: ids([name])[name] for name in names}
    for pair in combinations(names, 2):
        assert ids(pair) == {name: alone[name] for name in pair}
