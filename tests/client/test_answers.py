"""Responses of services that differ from ours: some are read, the rest cause errors."""

import contextlib
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from originmap.client.connection import APIConnection, Credentials
from originmap.client.errors import (
    ClientError,
    ListIncomplete,
    ListUnsteady,
    Redirected,
    Refused,
    Unreachable,
    Unreadable,
)
from originmap.client.mappings import RemoteMappings, Unapplied
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import MappingChange
from originmap.domain.plan.plan import Batch
from tests.builders import US_EAST, ip
from tests.client.fake_api import ZONE, Answer, FakeAPI, Raw

ID = ZONE["id"]
MAPPINGS = [
    {"origin_ip": f"192.0.2.{n}", "vendor": "aws", "region": "us-east-1"} for n in (1, 2, 3)
]
THREE = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
GOOD = {"success": True, "errors": [], "messages": []}


@contextlib.contextmanager
def behind(answer: Answer) -> Iterator[tuple[RemoteMappings, FakeAPI]]:
    with (
        FakeAPI(answer) as api,
        APIConnection(api.api, Credentials("token"), sleep=lambda seconds: None) as connection,
    ):
        yield RemoteMappings(connection), api


def listed(answer: Answer) -> list[str]:
    with behind(answer) as (mappings, _):
        return [addresses.text(each) for each in mappings.mappings(ID)]


def refused(answer: Answer) -> tuple[ClientError, int]:
    """The error of a list, and the number of requests."""
    with behind(answer) as (mappings, api):
        with pytest.raises(ClientError) as caught:
            mappings.mappings(ID)
        return caught.value, len(api.asked)


def paged(
    size: int, info: Callable[[int, int], Any], items: list[dict[str, str]] = MAPPINGS
) -> Answer:
    """Pages of `size`, regardless of the requested size; `info` returns result_info from page and
    count.
    """

    def answer(path: str, query: dict[str, str]) -> dict[str, Any]:
        page = int(query["page"])
        result = items[(page - 1) * size : page * size]
        return {**GOOD, "result": result, "result_info": info(page, len(result))}

    return answer


def one_page(**members: Any) -> Answer:
    return lambda path, query: {
        **GOOD,
        "result": MAPPINGS if query["page"] == "1" else [],
        "result_info": {"page": 1, "per_page": 100, "count": 3, "total_count": 3},
        **members,
    }


@pytest.mark.parametrize(
    "members",
    [
        {"errors": None, "messages": None},
        {"errors": None, "messages": None, "result_info": None},
        {"result_info": {"total_count": "3", "per_page": "100"}},
        {"result_info": {"total_count": None, "total_pages": None, "count": None}},
        {"result_info": {"total_count": 3.0}},
        {"result_info": {}},
        {"result_info": []},
        {"result_info": {"total_count": 0}},
        {"timing": {"start": 1}, "result_info": {"total_count": 3, "cursors": {"after": ""}}},
        {"messages": "none"},
    ],
    ids=repr,
)
def test_a_list_is_read_from_any_valid_envelope(members: dict[str, Any]) -> None:
    assert listed(one_page(**members)) == THREE


@pytest.mark.parametrize(
    "info",
    [
        lambda page, count: {"page": page, "per_page": 2, "count": count, "total_count": 3},
        lambda page, count: {"page": page, "per_page": 100, "total_count": 3, "total_pages": 1},
        lambda page, count: {"page": page, "per_page": 2, "count": count},
        lambda page, count: {"page": page, "per_page": 100, "total_pages": 1},
        lambda page, count: {"count": count, "total_count": count, "total_pages": 3},
        lambda page, count: {"per_page": count or 2, "count": count, "total_count": count},
        lambda page, count: None,
    ],
    ids=[
        "as case 31",
        "wrong per_page",
        "no total",
        "one page announced",
        "total of a page",
        "total of a smaller page",
        "-",
    ],
)
@pytest.mark.parametrize("size", [1, 2])
def test_pages_smaller_than_requested_are_read_to_the_end(info: Any, size: int) -> None:
    assert listed(paged(size, info)) == THREE


def test_a_byte_order_mark_before_a_response_is_ignored() -> None:
    body = json.dumps({**GOOD, "result": MAPPINGS}).encode("utf-8-sig")
    assert listed(lambda path, query: Raw(200, body)) == THREE


def test_a_null_list_is_empty_only_if_nothing_else_is_announced() -> None:
    assert listed(one_page(result=None, result_info=None)) == []
    assert listed(one_page(result=None, result_info={"total_count": 0})) == []
    error, _ = refused(one_page(result=None))
    assert isinstance(error, ListIncomplete)
    assert "announced 3 items but sent 0" in str(error)


def test_a_list_that_is_always_short_is_reported_as_incomplete() -> None:
    error, _ = refused(paged(100, lambda page, count: {"total_count": 4}))
    assert isinstance(error, ListIncomplete)
    assert "announced 4 items but sent 3" in str(error)
    assert "another client" not in error.hint


def test_a_total_that_changes_between_pages_is_reported_as_concurrent_writes() -> None:
    error, _ = refused(paged(2, lambda page, count: {"total_count": 5 + page}))
    assert isinstance(error, ListUnsteady)
    assert "6 items, then 7" in str(error)


def test_a_service_that_ignores_pagination_is_supported() -> None:
    assert listed(one_page(result=MAPPINGS, result_info=None)) == THREE


def test_a_repeated_full_page_is_not_a_complete_list() -> None:
    error, _ = refused(one_page(result=MAPPINGS, result_info={"per_page": 3}))
    assert isinstance(error, ListIncomplete)
    assert "page 2 is page 1 again" in str(error)


def test_zones_are_looked_up_by_name_with_any_announced_total() -> None:
    def answer(path: str, query: dict[str, str]) -> dict[str, Any]:
        wanted = [ZONE] if query.get("name") in (None, ZONE["name"]) else None
        return {**GOOD, "errors": None, "result": wanted if query["page"] == "1" else None}

    with behind(answer) as (mappings, _):
        assert mappings.zone_named("example.com").id == ID
        assert [zone.id for zone in mappings.zones()] == [ID]
        assert mappings.zones_named(["example.com"])["example.com"].id == ID


def test_the_error_of_an_invalid_mapping_names_it() -> None:
    broken = [MAPPINGS[0], {"origin_ip": "192.0.2.9", "vendor": None, "region": "x"}]
    error, _ = refused(one_page(result=broken))
    assert "$[1].vendor" in str(error)


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([{"code": 1003, "message": "Invalid zone"}], "Invalid zone (1003)"),
        ([{"message": "no code"}], "no code"),
        ([{"code": "7003", "message": None}], "no reason given (7003)"),
        (["a text"], "a text"),
        ({"code": 10000, "message": "an object"}, "an object (10000)"),
        ("only a text", "only a text"),
        (None, "no reason given"),
        ([], "no reason given"),
        ([None, 5], "None; 5"),
        (
            [
                {
                    "code": 6003,
                    "message": "Invalid headers",
                    "error_chain": [{"message": "No token"}],
                }
            ],
            "Invalid headers: No token (6003)",
        ),
        ([{"code": 1, "message": "two\nlines \x1b[31mred"}], "two lines  [31mred (1)"),
    ],
    ids=repr,
)
def test_errors_of_any_form_are_reported(errors: Any, said: str) -> None:
    error, asked = refused(one_page(success=False, result=None, errors=errors))
    assert isinstance(error, Refused)
    assert str(error).endswith(f"200: {said}")
    assert asked == 1


BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head></html>"
LOGIN = b"<!DOCTYPE html><title>Sign in - Example</title>"
DEEP = b'{"success": true, "%s": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    ("raw", "said", "hint", "requests"),
    [
        (Raw(502, BAD_GATEWAY, HTML), "a web page, '502 Bad Gateway'", "a proxy in front", 7),
        (Raw(503, b"<html>down</html>"), "a web page", "a proxy in front", 7),
        (Raw(200, LOGIN, HTML), "a web page, 'Sign in - Example'", "--api", 1),
        (Raw(200, b""), "its body is empty", "--api", 1),
        (Raw(204), "its body is empty", "--api", 1),
        (Raw(200, b"[]"), "not JSON in the form of the API", "--api", 1),
        (Raw(200, b'{"status": "ok"}'), "not JSON in the form of the API", "--api", 1),
        (Raw(200, b"\xff\xfe{\x00"), "not JSON in the form of the API", "--api", 1),
        (Raw(407, BAD_GATEWAY, HTML), "a web page", "USER:PASSWORD", 1),
        (Raw(403, LOGIN, HTML), "a web page", "--api", 1),
        (Raw(302, b""), "its body is empty", "--api", 1),
        (Raw(304, b""), "its body is empty", "--api", 1),
        (
            Raw(200, b'{"success": true, "errors": [], "messages": []}'),
            "it has no result",
            "--api",
            1,
        ),
        (Raw(200, DEEP % b"result"), "not JSON in the form of the API", "--api", 1),
        (Raw(200, DEEP % b"errors"), "not JSON in the form of the API", "--api", 1),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_error_describes_a_response_that_is_not_from_the_api(
    raw: Raw, said: str, hint: str, requests: int
) -> None:
    error, asked = refused(lambda path, query: raw)
    assert isinstance(error, Unreadable)
    assert said in str(error)
    assert hint in error.hint
    assert asked == requests


def test_a_challenge_of_cloudflare_has_a_hint_of_its_own() -> None:
    page = b"<html><title>Just a moment...</title>"
    error, asked = refused(lambda path, query: Raw(403, page, {"cf-mitigated": "challenge"}))
    assert "challenge for browsers" in error.hint
    assert "--api" not in error.hint
    assert asked == 1


def test_compressed_responses_are_read_and_damaged_ones_are_errors() -> None:
    body = gzip.compress(b'{"success": true, "errors": [], "result": [], "result_info": null}')
    packed = {"Content-Encoding": "gzip"}
    assert listed(lambda path, query: Raw(200, body, packed)) == []
    error, _ = refused(lambda path, query: Raw(200, b"no gzip", packed))
    assert isinstance(error, Unreadable)
    assert "cannot decompress it" in str(error)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("quota of the\nvendor\x1b[31m", "quota of the vendor [31m"),
        ({"code": 1, "message": "quota"}, "quota"),
        ([{"message": "one"}, "two"], "one; two"),
        (None, ""),
    ],
)
def test_the_reason_of_a_rejected_change_is_read_in_any_form(error: object, text: str) -> None:
    rejected = {"origin_ip": "2001:DB8:0:0:0:0:0:1", "error": error}
    body = {"success": True, "errors": [], "result": {"failed": [rejected]}}
    with behind(lambda path, query: body) as (mappings, _):
        batch = Batch(ID, False, (MappingChange(ip("2001:db8::1"), None, US_EAST),))
        assert mappings.write(batch) == [Unapplied("2001:db8::1", text)]


def test_control_characters_of_names_are_not_passed_on() -> None:
    entry = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "x\x1b]0;a\x07\n  + b"}
    body = {"success": True, "errors": [], "result": [entry], "result_info": {"total_count": 1}}
    with behind(lambda path, query: body) as (mappings, _):
        (place,) = mappings.mappings(ID).values()
    assert place.region.isprintable()


INVALID_TARGETS = ["https://xn--a.example/", "https://xn--.com/", "http://[::1", "//a:b/"]


def test_names_of_zones_are_read_without_control_characters() -> None:
    zone = {"id": ID, "name": "x\x1b]0;a\x07\n.example"}

    def answer(path: str, query: dict[str, str]) -> dict[str, Any]:
        result: object = zone if path.endswith(ID) else [zone]
        info = {"total_count": 1}
        return {"success": True, "errors": [], "result": result, "result_info": info}

    with behind(answer) as (mappings, _):
        assert mappings.zone_of_id(ID).name.isprintable()
        assert mappings.zones()[0].name.isprintable()


def test_a_failure_without_a_reason_has_a_hint() -> None:
    error, _ = refused(lambda path, query: {"success": False, "errors": [], "result": None})
    assert str(error).endswith("200: no reason given")
    assert "ask the operator of the server" in error.hint


@pytest.mark.parametrize("location", INVALID_TARGETS)
def test_a_redirect_to_an_invalid_name_is_an_error(location: str) -> None:
    error, asked = refused(lambda path, query: Raw(301, b"", {"Location": location}))
    assert isinstance(error, Unreachable)
    assert "it redirects to an invalid URL" in str(error)
    assert asked == 1


def test_a_redirect_is_not_followed_and_the_hint_has_the_new_url() -> None:
    def to(location: str) -> Redirected:
        error, asked = refused(lambda path, query: Raw(301, b"", {"Location": location}))
        assert isinstance(error, Redirected)
        assert asked == 1
        return error

    path = f"/zones/{ID}/origin/cloud_regions"
    there = to(f"https://api.example.net/v4{path}?page=1&per_page=100")
    assert "a redirect to https://api.example.net/v4/zones" in str(there)
    assert there.hint == "set --api (or CLOUDFLARE_BASE_URL) to https://api.example.net/v4"
    assert to(f"/new{path}").base.endswith("/new")
    assert "--api" in to(f"{path}?login").hint
    assert "login.example.net" in str(to("https://login.example.net/?token=secret"))
    assert "secret" not in str(to("https://login.example.net/?token=secret"))
    assert "secret" not in str(to(f"https://user:secret@example.net{path}"))


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "-1",
        "1e3",
        "120, 60",
        "Thu, 99 Foo 99999 99:99:99 GMT",
        "Sun, 06 Nov 99999999999 08:49:37 GMT",
        "Sun, 06 Nov 1994",
        "9" * 400,
    ],
)
def test_an_invalid_retry_after_is_ignored(value: str) -> None:
    waited: list[float] = []
    answers: Iterator[Any] = iter([Raw(429, b"slow down", {"Retry-After": value})])
    good = one_page()
    with (
        FakeAPI(lambda path, query: next(answers, None) or good(path, query)) as api,
        APIConnection(api.api, Credentials("token"), sleep=waited.append) as connection,
    ):
        assert len(RemoteMappings(connection).mappings(ID)) == 3
    assert waited in ([0.25], [900.0], [])


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8787",
        "http://::1:8787",
        "ftp://example.net",
        "http://user:secret@h",
        "http://h?secret",
    ],
)
def test_the_error_of_an_invalid_url_has_no_secrets(url: str) -> None:
    with pytest.raises(Unreachable) as caught:
        APIConnection(url, Credentials("token"))
    assert "secret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("first", "requests"),
    [
        (Raw(429, b'{"success":false,"errors":[{"code":971,"message":"slow"}]}'), 2),
        (Raw(500, b'{"success":false,"errors":[{"code":10500,"message":"error"}]}'), 1),
        (Raw(502, b"<title>Bad gateway</title>"), 1),
    ],
    ids=["refused before it was carried out", "failed", "unknown"],
)
def test_a_post_is_repeated_only_if_it_cannot_have_been_carried_out(
    first: Raw, requests: int
) -> None:
    answers: Iterator[Any] = iter([first])
    with (
        FakeAPI(lambda path, query: next(answers, None) or {**GOOD, "result": {}}) as api,
        APIConnection(api.api, Credentials("token"), sleep=lambda _: None) as connection,
    ):
        with contextlib.suppress(ClientError):
            connection.ask("POST", "/zones", body={})
        assert len(api.asked) == requests


def test_a_post_is_repeated_if_the_connection_is_refused() -> None:
    waited: list[float] = []
    with (
        APIConnection(
            "http://127.0.0.1:1", Credentials("token"), sleep=waited.append
        ) as connection,
        pytest.raises(Unreachable),
    ):
        connection.ask("POST", "/zones", body={})
    assert len(waited) > 1
