"""The rings of caches; tests/caches/test_shared_colos.py compares them with the real caches."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from originmap.domain.tier.cache import Cache
from originmap.domain.tier.rings import trafficserver, varnish

Owner = Callable[[Sequence[Cache], bytes], Cache]
OWNERS = [varnish.owner, trafficserver.owner]
CACHES = (Cache("a", "192.0.2.1"), Cache("b", "192.0.2.2", weight=2), Cache("c", "192.0.2.3"))
KEYS = [f"/{number}".encode() for number in range(2_000)]


def test_siphash_with_a_key_of_zeros_has_known_values() -> None:
    assert trafficserver.siphash(b"") == 0x1E924B9D737700D7
    assert trafficserver.siphash(b"Hello world") == 0xC9E8A3021F3822D9


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__module__.rpartition(".")[2])
def test_a_cache_that_leaves_moves_only_its_own_keys(owner: Owner) -> None:
    before = {key: owner(CACHES, key).name for key in KEYS}
    after = {key: owner(CACHES[:2], key).name for key in KEYS}
    moved = {key for key in KEYS if before[key] != after[key]}
    assert moved == {key for key in KEYS if before[key] == "c"}
    counts = Counter(before.values())
    assert counts["b"] > 1.5 * max(counts["a"], counts["c"])
