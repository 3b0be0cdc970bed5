"""All other requests are forwarded unchanged, in both directions."""

import gzip
import json
from collections.abc import Iterator

import httpx
import pytest

from tests.faulty import Handler, Proxy, Seen, cut_after, refuse
from tests.process import BEARER, ZONE
from tests.proxy.callers import PATH
from tests.proxy.process import ProxyProcess


@pytest.fixture
def caller(proxy: ProxyProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, headers=BEARER) as http:
        yield http


def answering(
    api: Proxy, status: int, body: bytes, headers: list[tuple[str, str]]
) -> list[Handler]:
    """Let the API send this response to all requests; return the requests that it receives."""
    got: list[Handler] = []

    def fault(handler: Handler, sent: bytes) -> None:
        handler.sent = sent
        got.append(handler)
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    api.faults = lambda number, seen: fault
    return got


@pytest.mark.parametrize("target", ["https://xn--a.example/", "http://[::1"])
def test_a_redirect_to_an_invalid_name_is_answered_502(
    api: Proxy, caller: httpx.Client, target: str
) -> None:
    headers = [("Location", target), ("Content-Length", "0")]
    got = answering(api, 301, b"", headers)
    answer = caller.get("/elsewhere")
    assert answer.status_code == 502
    assert "it redirects to an invalid URL" in answer.text
    assert len(got) == 1


def test_a_request_is_forwarded_unchanged(api: Proxy, caller: httpx.Client) -> None:
    got = answering(api, 200, b"", [("Content-Length", "0")])
    target = "/elsewhere/a%2Fb%20c//d?x=%2F&y=1&y=2"
    caller.post(
        target,
        content=b"\x00\xffbody",
        headers={"X-Own": "a, b", "Connection": "X-Hop", "X-Hop": "1", "TE": "trailers"},
    )
    (handler,) = got
    assert (handler.command, handler.path, handler.sent) == ("POST", target, b"\x00\xffbody")
    assert handler.headers["X-Own"] == "a, b"
    assert handler.headers["Authorization"] == BEARER["Authorization"]
    assert handler.headers["User-Agent"].startswith("python-httpx/")
    assert handler.headers["Host"] == api.api.removeprefix("http://").partition("/")[0]
    assert not {"x-hop", "te", "connection"} & {name.lower() for name in handler.headers}


def test_a_response_is_forwarded_unchanged(api: Proxy, caller: httpx.Client) -> None:
    body = gzip.compress(b'{"x":1}')
    headers = [
        ("Content-Type", "application/x"),
        ("Content-Encoding", "gzip"),
        ("Content-Length", str(len(body))),
        ("CF-Ray", "0123456789abcdef-SIN"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Location", "https://elsewhere.example/"),
        ("Ratelimit", '"default";r=50;t=30'),
    ]
    answering(api, 307, body, headers)
    with caller.stream("GET", "/client/v4/user") as answer:
        assert b"".join(answer.iter_raw()) == body
    assert answer.status_code == 307
    found = answer.headers
    for name, value in dict(headers).items():
        assert value in found.get_list(name), name
    assert found.get_list("set-cookie") == ["a=1", "b=2"]
    assert found.get_list("cf-ray") == ["0123456789abcdef-SIN"]
    assert len(found.get_list("date")) == 1


def test_cookies_are_not_shared_between_clients(api: Proxy, caller: httpx.Client) -> None:
    got = answering(api, 200, b"", [("Content-Length", "0"), ("Set-Cookie", "a=1; Path=/")])
    for _ in range(2):
        caller.get("/client/v4/user", headers={"Cookie": ""}).raise_for_status()
    assert [handler.headers["Cookie"] for handler in got] == ["", ""]


def test_a_long_response_is_streamed(api: Proxy, caller: httpx.Client) -> None:
    part = b"0123456789" * 100_000
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for _ in range(6)) + b"0\r\n\r\n"
    answering(api, 200, chunks, [("Transfer-Encoding", "chunked")])
    assert caller.get("/client/v4/large").content == part * 6


def test_an_incomplete_response_does_not_look_complete(api: Proxy, caller: httpx.Client) -> None:
    def fault(handler: Handler, sent: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nbegin\r\n")
        handler.wfile.flush()
        handler.cut()

    api.faults = lambda number, seen: fault
    with pytest.raises(httpx.RemoteProtocolError):
        caller.get("/client/v4/broken")


def test_a_response_to_head_has_the_headers_of_the_api(api: Proxy, caller: httpx.Client) -> None:
    answering(api, 200, b"", [("Content-Length", "123"), ("ETag", '"1"')])
    answer = caller.head(f"/client/v4{PATH}/192.0.2.1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer.headers["content-length"], answer.headers["etag"]) == ("123", '"1"')


def test_a_response_without_a_body_is_forwarded_without_a_body(
    api: Proxy, caller: httpx.Client
) -> None:
    answering(api, 204, b"", [])
    answer = caller.delete("/client/v4/thing")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers


def test_a_body_is_read_after_100_continue_and_its_size_is_limited(
    api: Proxy, caller: httpx.Client
) -> None:
    got = answering(api, 200, b"", [("Content-Length", "0")])
    body = b"x" * (2 << 20)
    caller.put("/client/v4/thing", content=body, headers={"Expect": "100-continue"})
    assert got[0].sent == body
    assert "expect" not in {name.lower() for name in got[0].headers}
    answer = caller.put("/client/v4/thing", content=b"x" * (9 << 20))
    assert (answer.status_code, len(got)) == (413, 1)


def test_routes_of_lists_and_batches_are_forwarded(
    api: Proxy, caller: httpx.Client, direct: httpx.Client
) -> None:
    for path in (PATH, f"{PATH}/supported_regions", f"/zones/{ZONE}", "/zones", "/nowhere"):
        answer, alone = caller.get(f"/client/v4{path}"), direct.get(path)
        assert (answer.status_code, answer.content) == (alone.status_code, alone.content)


def test_other_writes_are_not_retried(api: Proxy, caller: httpx.Client) -> None:
    api.faults = lambda number, seen: cut_after
    answer = caller.put("/client/v4/user/tokens/0/value", json={})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (502, 10504)
    assert len(api.seen) == 1


@pytest.mark.parametrize(
    "target", [b"/a/../b", b"/a/./b", b"/..", b"*", b"@203.0.113.1/", b":1/", b".example/"]
)
def test_an_ambiguous_request_target_is_refused(
    api: Proxy, caller: httpx.Client, target: bytes
) -> None:
    request = caller.build_request("GET", "/", extensions={"target": target})
    assert caller.send(request).status_code == 400
    assert api.seen == []


@pytest.mark.parametrize("target", [b"//203.0.113.1/x", b"/%2e%2e/x", b"http://203.0.113.1/x"])
def test_a_request_target_cannot_select_another_host(
    api: Proxy, caller: httpx.Client, target: bytes
) -> None:
    request = caller.build_request("GET", "/", extensions={"target": target})
    assert caller.send(request).status_code == 404
    assert len(api.seen) == 1


def test_the_log_has_a_line_for_each_request_and_no_credential(
    api: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ProxyProcess(api.api, tmp_path_factory.mktemp("logged")) as logged:
        httpx.get(f"{logged.api}{PATH}/192.0.2.1?secret=1", headers=BEARER)
        assert logged.stop() == (1, 1)
    (line,) = map(json.loads, logged.log.read_text().splitlines())
    assert (line["method"], line["status"], line["zone"]) == ("GET", 404, ZONE)
    text = logged.log.read_text()
    assert BEARER["Authorization"].split()[1] not in text
    assert "secret" not in text


def test_the_rate_limit_of_other_routes_is_waited_for(api: Proxy, caller: httpx.Client) -> None:
    left = [refuse(429, 971, Retry_After="1")]

    def faults(number: int, seen: Seen) -> object:
        return left.pop() if left else None

    api.faults = faults
    assert caller.get("/client/v4/zones").status_code == 200
    assert len(api.seen) == 2
