"""No name or address of a cache escapes from its place in a file.

A hostile value is rejected before anything is written, or the file has the same lines and members
as with a harmless one.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.errors import OriginmapError
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.topology import GenericTier, Topology
from originmap.domain.tier.topology_problems import check
from originmap.export.formats import format_called
from tests.export.samples import COLOS, ENDPOINTS, VIRGINIA, export, node
from tests.export.test_injection import CODE, HOST, HOSTILE

NAME = "[a-z0-9-]{1,63}"
CHAIN = f"originmap(?:_{CODE})+|originmap-generic"
LINES = {
    "originmap.cfg": [
        f"backend (?:{CHAIN})",
        r"    http-request return status 508 if \{ req\.hdr\(X-Originmap-Colo\) -m found \}"
        r"(?: !\{ req\.hdr\(X-Originmap-Colo\) -m str hub \})?",
        r"    http-request set-header X-Originmap-Colo (?:[A-Z0-9]{2,10}|generic|hub)",
        r"    http-request set-var-fmt\(txn\.originmap_hash\) [%a-z.\[\](),_]+",
        r"    balance hash var\(txn\.originmap_hash\)",
        "    hash-type consistent sdbm avalanche",
        "    option allbackups",
        rf"    server {NAME} {HOST}:\d+ id \d+ weight \d+ "
        rf"(?:check|track (?:{CHAIN})/{NAME})(?: backup)?",
        "",
    ],
    "originmap.map": [rf"[a-z./0-9]+ (?:{CHAIN}|originmap-origin)"],
}


def is_lines(name: str, made: bytes, cache: Cache) -> None:
    for line in made.decode("ascii").split("\n")[:-1]:
        assert any(re.fullmatch(known, line) for known in LINES[name]), line


def is_json(name: str, made: bytes, cache: Cache) -> None:
    """The value is in its members only, and these are whole."""
    document = json.loads(made)
    assert list(document) == ["resources"]
    found = {
        (part["endpoint"]["address"]["socket_address"]["address"], key)
        for resource in document["resources"]
        for locality in resource.get("load_assignment", resource).get("endpoints", ())
        for part in locality["lb_endpoints"]
        if (key := part["metadata"]["filter_metadata"]["envoy.lb"]["hash_key"]) == cache.name
    }
    assert found <= {(cache.address, cache.name)}
    assert found or name == "rds.json" or name.startswith("eds/")


LOOKS: dict[str, Callable[[str, bytes, Cache], None]] = {"haproxy": is_lines, "envoy": is_json}


@pytest.mark.parametrize("form", LOOKS)
@given(st.data())
def test_a_hostile_cache_is_rejected_or_stays_inside_its_value(
    form: str, data: st.DataObject
) -> None:
    harmless = Cache("iad-1", "192.0.2.11")
    field = data.draw(st.sampled_from(["name", "address"]))
    cache = replace(harmless, **{field: data.draw(HOSTILE)})
    caches = (cache, Cache("other-2", "192.0.2.12", weight=2))
    colos = (replace(COLOS[0], caches=caches), *COLOS[1:])
    try:
        check(Topology(colos))
    except OriginmapError:
        return
    for colo in ("IAD", "SIN"):
        of = node(colo, colos=colos, endpoints=ENDPOINTS, generic=GenericTier.HASH)
        for file in format_called(form).all(of):
            made = export(file, of, {"example.com": {"192.0.2.1": VIRGINIA}})
            LOOKS[form](file.name, made, cache)
