"""No name or address of a cache escapes from its place in the files."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.errors import OriginmapError
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.topology import GenericTier, Topology
from originmap.domain.tier.topology_problems import check
from originmap.export.endpoint import Endpoints
from originmap.export.formats import format_called
from tests.export.samples import COLOS, VIRGINIA, ZONES, export, node
from tests.export.test_injection import HOSTILE

HARMLESS = (Cache("iad-1", "192.0.2.11", 8080), Cache("iad-2", "iad-2.example.net", weight=2))
NAME = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = r"[a-z0-9.:-]+"
PLACES = {
    "nginx": [rf"    server \[?{HOST}\]?:\d+ weight=[12]0;"],
    "varnish": [
        f"backend originmap_b_iad_{NAME} {{",
        f'    \\.host = "{HOST}";',
        f"    originmap_r(?:_iad|-generic)\\.add_backend\\(originmap_b_iad_{NAME}"
        f', "{NAME}", weight=[12]\\.0\\);',
    ],
    "trafficserver": [
        rf'dest_(?:ip|domain)=[a-z0-9.:]+ parent="(?:\[?{HOST}\]?:\d+\|[12]\.0&{NAME};?)+" '
        "round_robin=consistent_hash qstring=consider go_direct=true",
        f"(?:  - &|    - <<: \\*)originmap_h_iad_{NAME}",
        f"    (?:host|hash_string): '{HOST}'",
    ],
}


def lines(form: str, caches: tuple[Cache, ...]) -> list[str]:
    """The lines of all files of a format."""
    colos = (replace(COLOS[0], caches=caches), COLOS[3])
    check(Topology(colos))
    of = node(
        "SIN", zones=ZONES[:1], colos=colos, endpoints=Endpoints(), generic=GenericTier.HASH
    )  # fmt: skip
    origins = {"example.com": {"192.0.2.1": VIRGINIA}}
    made = [export(file, of, origins) for file in format_called(form).all(of)]
    return b"".join(made).decode("ascii").split("\n")


@pytest.mark.parametrize("form", PLACES)
@given(
    st.one_of(HOSTILE, st.sampled_from(["iad--3", "3", "true", "null"])),
    st.one_of(HOSTILE, st.just("2001:db8::1"), st.just("iad-9.example.net")),
    st.booleans(),
)
def test_a_cache_changes_only_its_places(form: str, text: str, host: str, as_name: bool) -> None:
    hostile = replace(HARMLESS[0], **({"name": text} if as_name else {"address": host}))
    try:
        made = lines(form, (hostile, HARMLESS[1]))
    except OriginmapError:
        return
    others = [*made]
    for place in PLACES[form]:
        others = [line for line in others if not re.fullmatch(place, line)]
    harmless = lines(form, HARMLESS)
    assert len(made) == len(harmless)
    assert set(others) <= set(harmless)
