"""Virtual hosts in protobuf form: they say what the files say."""

import pytest
from envoy.config.route.v3 import route_components_pb2
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any

from originmap.export.envoy import Routes
from originmap.xds.resources import of_hosts
from tests.export.samples import VIRGINIA, stored
from tests.export.test_golden import NODES

ORIGINS = {f"192.0.2.{number}": VIRGINIA for number in range(1, 6)} | {"2001:db8::1": VIRGINIA}


@pytest.mark.parametrize("which", NODES)
def test_a_virtual_host_with_several_origins_of_a_region_equals_that_of_the_file(
    which: str,
) -> None:
    node = NODES[which]
    for zone in node.zones:
        part = node.part(zone, stored(ORIGINS))
        expected = route_components_pb2.VirtualHost()
        json_format.Parse(Routes(node).virtual_host(part), expected)
        found = route_components_pb2.VirtualHost()
        found.MergeFromString(Any.FromString(of_hosts(node).of(part).content).value)
        assert found == expected
