"""Requests that no check can send, even if its author made a mistake."""

import httpx
import pytest

from originmap.client.connection import Credentials
from originmap.verify.connection import ProbeConnection
from originmap.verify.probe import Probe
from originmap.verify.redaction import Redactor
from originmap.verify.zone_under_test import ZoneUnderTest
from tests.process import BEARER, TOKEN
from tests.verify.conftest import Zones, new_zone


@pytest.fixture(scope="module")
def used(zones: Zones) -> str:
    """A zone that has a mapping."""
    zone = new_zone(zones.api, "used.example")
    url = f"{zones.api}/zones/{zone}/origin/cloud_regions/192.0.2.1"
    item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    assert httpx.put(url, json=item, headers=BEARER).status_code == 200
    return zone


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("PUT", "/192.0.2.1", b"{}"),
        ("DELETE", "/192.0.2.1", None),
        ("DELETE", "/2001%3ADB8%3A%3A1?x=/batch", None),
        ("PATCH", "/::ffff:192.0.2.1", None),
        ("PUT", "/not-an-address", b'{"origin_ip":"192.0.2.1"}'),
        ("PUT", "/batch", b'[{"origin_ip":"192.0.2.1"}]'),
        ("DELETE", "/batch", b'["192.0.2.1"]'),
        ("DELETE", "/batch", b"[]"),
        ("DELETE", "/batch", None),
        ("PUT", "/batch", b"{"),
        ("DELETE", "", None),
        ("PUT", "?page=1", b"[]"),
        ("DELETE", "/", None),
    ],
)
def test_a_request_that_could_change_other_mappings_is_not_sent(
    zones: Zones, used: str, method: str, tail: str, body: bytes | None
) -> None:
    with ProbeConnection(zones.api, Credentials(TOKEN)) as connection:
        zone = ZoneUnderTest(connection, used, Redactor({}), has_token=True)
        sent = connection.requests
        with pytest.raises(RuntimeError):
            zone.send(Probe(method, zone.path + tail, body))
        assert connection.requests == sent
