"""The marks of requests between caches: no request goes in circles, whatever the nodes believe."""

from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import Topology
from originmap.domain.zone.zone import Zone
from originmap.export.node import HUB, Node
from tests.domain.tier.test_chain import CATALOGUE, PLACES, PLAIN, REGIONAL, topologies
from tests.export.samples import stored

IP = "192.0.2.1"


def hops(code: str, mark: str, beliefs: dict[str, Topology], zone: Zone, place: Place) -> int:
    """The most caches that a request with a mark passes after a node of a colo, by the rules that
    the files state for each program."""
    if mark not in ("", HUB):
        return 0
    node = Node([zone], Tiers(CATALOGUE, beliefs[code], {}), [place], code)
    chain = node.part(zone, stored({IP: place})).rows[0].chain
    if mark == HUB and node.through_hub(chain):
        return 0
    marks = [node.mark(chain), *chain[1:]] if chain else []
    reached = zip(chain, marks, strict=True)
    return max((1 + hops(one, mark, beliefs, zone, place) for one, mark in reached), default=0)


@given(st.data(), st.sampled_from(PLACES), st.sampled_from([PLAIN, REGIONAL]))
def test_a_request_passes_a_hub_and_an_upper_tier_at_most_even_if_nodes_differ(
    data: st.DataObject, place: Place, zone: Zone
) -> None:
    revisions = data.draw(st.lists(topologies(), min_size=1, max_size=3))
    codes = sorted({code for topology in revisions for code in topology.by_code()})
    beliefs = {
        code: data.draw(st.sampled_from([t for t in revisions if code in t.by_code()]))
        for code in codes
    }
    assert all(hops(code, "", beliefs, zone, place) <= 2 for code in codes)
