"""The client of the v4 API, with a real server behind an unreliable proxy."""

import httpx
import pytest

from originmap.client.connection import APIConnection, Credentials
from originmap.client.errors import (
    ClientError,
    ListUnsteady,
    NoCredentials,
    NoSuchZone,
    Refused,
    Unreachable,
    Unreadable,
)
from originmap.domain.mapping.mapping import MappingChange
from originmap.domain.plan.plan import Batch
from tests.builders import US_EAST, US_WEST, ip, ips
from tests.client.conftest import Ask
from tests.faulty import cut_after, cut_before, gibberish, half_applied, once_each, refuse
from tests.process import BEARER, EMAIL, KEY, TOKEN, ZONE, Server

HUNDRED = ips(100)


def upserts(place=US_EAST, addresses=HUNDRED) -> Batch:
    return Batch(ZONE, False, tuple(MappingChange(a, None, place) for a in addresses))


def deletes(addresses=HUNDRED) -> Batch:
    return Batch(ZONE, True, tuple(MappingChange(a, US_EAST, None) for a in addresses))


@pytest.fixture(autouse=True)
def emptied(running: Server, asking: Ask) -> None:
    mappings = asking().mappings
    there = list(mappings.mappings(ZONE))
    for at in range(0, len(there), 100):
        mappings.write(deletes(there[at : at + 100]))


def test_written_mappings_are_listed_completely(asking: Ask) -> None:
    client = asking()
    many = ips(250)
    for at in range(0, 250, 100):
        assert client.mappings.write(upserts(US_EAST, many[at : at + 100])) == []
    assert client.mappings.mappings(ZONE) == dict.fromkeys(many, US_EAST)
    assert (client.proxy.writes, client.proxy.lists) == (3, 3)


def test_an_empty_zone_takes_one_page(asking: Ask) -> None:
    client = asking()
    assert client.mappings.mappings(ZONE) == {}
    assert client.proxy.lists == 1


def test_rejected_changes_of_a_batch_have_their_reasons(asking: Ask) -> None:
    client = asking()
    gone = client.mappings.write(deletes([ip("192.0.2.1")]))
    assert [failed.origin_ip for failed in gone] == ["192.0.2.1"]
    assert "does not exist" in gone[0].error


@pytest.mark.parametrize(
    "fault",
    [
        cut_before,
        cut_after,
        half_applied,
        refuse(500),
        refuse(503, 10503),
        refuse(429, 971),
        refuse(200, 971),
        gibberish(502),
    ],
    ids=["cut before", "cut after", "half", "500", "503", "429", "971 with 200", "502"],
)
def test_a_write_is_retried_until_there_is_a_response(asking: Ask, fault) -> None:
    client = asking(once_each(fault, fault))
    assert client.mappings.write(upserts()) == []
    assert client.waited == [0.25, 0.5]
    assert client.mappings.mappings(ZONE) == dict.fromkeys(HUNDRED, US_EAST)


def test_a_list_is_read_completely_despite_transient_errors(asking: Ask) -> None:
    many = ips(200)
    for at in (0, 100):
        asking().mappings.write(upserts(US_WEST, many[at : at + 100]))
    client = asking(once_each(cut_before, refuse(500), cut_after))
    assert client.mappings.mappings(ZONE) == dict.fromkeys(many, US_WEST)


def test_retry_after_is_obeyed(asking: Ask) -> None:
    client = asking(once_each(refuse(429, 971, Retry_After="7")))
    client.mappings.mappings(ZONE)
    assert client.waited == [7]
    assert "as the test wants it" in client.told[0]


def test_the_number_of_retries_is_limited(asking: Ask) -> None:
    client = asking(lambda number, seen: refuse(500))
    with pytest.raises(Refused) as caught:
        client.mappings.mappings(ZONE)
    assert caught.value.status == 500
    assert len(client.proxy.seen) == 1 + len(client.waited)


def test_the_next_request_waits_for_a_used_up_rate_limit(asking: Ask) -> None:
    def limited(handler, body: bytes) -> None:
        answer = handler.forward(body)
        handler.send(answer.status_code, answer.content, {"Ratelimit": '"default";r=0;t=3'})

    client = asking(once_each(limited))
    client.mappings.mappings(ZONE)
    assert client.waited == []
    client.mappings.mappings(ZONE)
    assert client.waited == [3]


def test_a_list_that_changes_while_it_is_read_is_read_again(asking: Ask, running: Server) -> None:
    many = ips(200)
    for at in (0, 100):
        asking().mappings.write(upserts(US_EAST, many[at : at + 100]))

    def delete_one(handler, body: bytes) -> None:
        answer = handler.forward(body)
        httpx.delete(f"{running.mappings}/10.0.0.1", headers=BEARER)
        handler.reply(answer)

    client = asking(once_each(delete_one))
    assert len(client.mappings.mappings(ZONE)) == 199
    assert client.proxy.lists == 4


def test_a_list_that_always_changes_is_an_error(asking: Ask, running: Server) -> None:
    asking().mappings.write(upserts())
    asking().mappings.write(upserts(US_EAST, [ip("192.0.2.1")]))

    def toggle(handler, body: bytes) -> None:
        answer = handler.forward(body)
        url = f"{running.mappings}/192.0.2.1"
        body = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
        if httpx.delete(url, headers=BEARER).status_code == 404:
            httpx.put(url, headers=BEARER, json=body)
        handler.reply(answer)

    client = asking(lambda number, seen: toggle if "&page" not in seen.path else None)
    with pytest.raises(ListUnsteady):
        client.mappings.mappings(ZONE)


def test_zones_are_looked_up_by_name_and_by_id(asking: Ask) -> None:
    mappings = asking().mappings
    assert mappings.zones() == [(ZONE, "example.com")]
    assert mappings.zone_named("example.com").id == ZONE
    assert mappings.zones_named(["example.com"]) == {"example.com": (ZONE, "example.com")}
    assert mappings.zone_of_id(ZONE).name == "example.com"
    with pytest.raises(NoSuchZone):
        mappings.zone_named("example.net")
    with pytest.raises(NoSuchZone):
        mappings.zones_named(["example.com", "example.net"])


def test_a_zone_is_looked_up_by_its_name_in_unicode_and_as_a_labels(asking: Ask) -> None:
    mappings = asking().mappings
    forms = ("bücher.example", "xn--bcher-kva.example")
    for sent in forms:
        body = {"name": sent, "account": {"id": ZONE}}
        mappings.connection.ask("POST", "/zones", body=body)
        made = mappings.zone_named(sent).id
        try:
            for name in forms:
                assert mappings.zone_named(name) == (made, name)
                found = mappings.zones_named([name, "example.com"])
                assert found[name] == (made, name)
        finally:
            mappings.connection.ask("DELETE", f"/zones/{made}")


def test_many_zones_are_looked_up_in_few_requests(asking: Ask) -> None:
    client = asking()
    for number in range(60):
        body = {"name": f"z{number}.example", "account": {"id": ZONE}}
        client.mappings.connection.ask("POST", "/zones", body=body)
    try:
        before = len(client.proxy.seen)
        names = [f"z{number}.example" for number in range(60)]
        found = client.mappings.zones_named(names)
        assert sorted(found) == sorted(names)
        assert len(client.proxy.seen) - before == 2
        assert len(client.mappings.zones()) == 61
    finally:
        for zone in client.mappings.zones():
            if zone.id != ZONE:
                client.mappings.connection.ask("DELETE", f"/zones/{zone.id}")


def test_an_email_address_and_a_key_are_accepted(asking: Ask) -> None:
    mappings = asking(credentials=Credentials(email=EMAIL, key=KEY)).mappings
    assert mappings.mappings(ZONE) == {}


@pytest.mark.parametrize(
    "credentials", [Credentials(), Credentials(email="a@b"), Credentials(key="k")]
)
def test_without_credentials_no_request_is_sent(credentials: Credentials) -> None:
    with pytest.raises(NoCredentials) as caught:
        APIConnection("http://127.0.0.1:1/client/v4", credentials)
    assert "CLOUDFLARE_API_TOKEN" in caught.value.hint


def test_the_hint_of_a_rejected_token_names_the_variable(asking: Ask) -> None:
    with pytest.raises(Refused) as caught:
        asking(credentials=Credentials("x" * 40)).mappings.mappings(ZONE)
    assert caught.value.status == 401
    assert "CLOUDFLARE_API_TOKEN" in caught.value.hint


def test_the_error_of_a_wrong_base_url_names_it(asking: Ask, running: Server) -> None:
    def mistake(base_url: str) -> ClientError:
        with (
            APIConnection(base_url, Credentials(TOKEN), sleep=lambda seconds: None) as connection,
            pytest.raises(ClientError) as caught,
        ):
            connection.ask("GET", "/zones")
        return caught.value

    assert "--api" in mistake(running.url).hint
    nobody = mistake("http://127.0.0.1:1/client/v4")
    assert isinstance(nobody, Unreachable)
    assert "--api" in nobody.hint
    with pytest.raises(Unreachable):
        APIConnection("127.0.0.1:8787", Credentials(TOKEN))


def test_a_response_of_another_service_is_an_error(asking: Ask) -> None:
    client = asking(once_each(gibberish(200)))
    with pytest.raises(Unreadable):
        client.mappings.mappings(ZONE)
