"""The page about webhooks: its receiver accepts what the server sends, and nothing else."""

import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from originmap.domain.hook.hook import KINDS
from originmap.domain.hook.signature import signed_headers
from originmap.domain.mapping.mapping import put
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, ZONE_ID, ip, new_zone
from tests.hook.post import SECRET, Post
from tests.http_thread import HTTPThread
from tests.waiting import until

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")
NOW = 1_800_000_000


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the receiver in the page, at a fixed time."""
    (tmp_path / "hook.secret").write_text(SECRET + "\n")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(code, names)
    return names


async def test_the_receiver_takes_each_message_once(
    program: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    handler: type[BaseHTTPRequestHandler] = program["Receiver"]
    store = MemoryStore()
    await store.write_records(new_zone(), CAUSE)
    with HTTPThread(handler) as server:
        url = f"http://127.0.0.1:{server.server.server_port}/"
        post = Post(store, lambda: program["time"].time_ns() // 1000)
        await post.add(url, "mapping", name="ops")
        await post.add(url, "mapping", name="again")
        async with post.delivering():
            await store.write(ZONE_ID, [ip("192.0.2.1")], put(ip("192.0.2.1"), US_EAST), CAUSE)
            await until(lambda: post.book.tally.delivered == 2)
    assert capsys.readouterr().out.count("192.0.2.1") == 1


def test_the_receiver_refuses_wrong_and_old_messages(program: dict[str, Any]) -> None:
    now = program["time"].time_ns() // 1000
    body = b'{"kind":"ping"}'
    good = signed_headers(SECRET, "1", now, body)
    other = signed_headers("whsec_" + "b3RoZXIu" * 4, "1", now, body)
    old = signed_headers(SECRET, "1", now - 301_000_000, body)
    sent = {
        "good": (good, body),
        "other secret": (other, body),
        "old": (old, body),
        "newer timestamp": ({**old, "webhook-timestamp": good["webhook-timestamp"]}, body),
        "other id": ({**good, "webhook-id": "2"}, body),
        "other body": (good, b'{"kind":"pong"}'),
        "no headers": ({}, body),
    }
    with HTTPThread(program["Receiver"]) as server:
        url = f"http://127.0.0.1:{server.server.server_port}/"
        found = {
            name: httpx.post(url, headers=headers, content=content).status_code
            for name, (headers, content) in sent.items()
        }
    assert found.pop("good") == 204
    assert set(found.values()) == {401}


def test_the_page_has_every_kind_of_change() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    named = {kind for row in rows for kind in re.findall(r"`(\w+)`", row)}
    assert named == {*KINDS, "ping"}
