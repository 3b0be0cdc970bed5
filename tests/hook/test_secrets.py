"""Where the secret of a hook must not appear, and the routes of hooks and reports."""

from collections.abc import AsyncIterator

import httpx
import pytest

from originmap import bootstrap
from originmap.dev.state_json import write_state
from originmap.service import initial_data
from originmap.settings import Settings
from tests.api.application import BEARER, client_of
from tests.api.matrix import furnish, headers_of
from tests.hook.post import SECRET
from tests.hook.receiver import Receiver

OWN = "http://testserver/originmap/v1"
PRIVATE = Settings(private_hooks=True)
NEW = {
    "url": "http://127.0.0.1:1/path?key=in-the-url",
    "on": ["ranges", "mapping"],
    "secret": SECRET,
    "name": "new",
}


@pytest.fixture
async def opened() -> AsyncIterator[bootstrap.Opened]:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        await furnish(opened)
        yield opened


@pytest.fixture
async def client(opened: bootstrap.Opened) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(opened, BEARER, settings=PRIVATE) as client:
        yield client


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["message"]


async def test_no_answer_has_the_secret(client: httpx.AsyncClient) -> None:
    made = await client.post(f"{OWN}/hooks", json=NEW)
    assert made.status_code == 200
    texts = [made.text, repr(await client.post(f"{OWN}/hooks", json=NEW))]
    for path in ("hooks", "audit", "changes?since=0", "snapshot", "reports", "hooks/new/dead"):
        texts.append((await client.get(f"{OWN}/{path}")).text)
    account = f"http://testserver/client/v4/accounts/{initial_data.DEV_ID}/audit_logs"
    audit = [texts[3], *[(await client.get(account, headers=headers_of(who))).text
                         for who in ("all", "read")]]  # fmt: skip
    texts += audit
    for text in audit:
        assert "http://127.0.0.1:1/" in text
        assert "in-the-url" not in text
    assert not [text for text in texts if SECRET in text or "hook_position" in text]


@pytest.mark.parametrize("credential", ["edge", "read", "zone", "owned"])
async def test_other_credentials_learn_nothing_of_hooks(
    client: httpx.AsyncClient, credential: str
) -> None:
    await client.post(f"{OWN}/hooks", json=NEW)
    for path in ("changes?since=0", "snapshot"):
        answer = await client.get(f"{OWN}/{path}", headers=headers_of(credential))
        assert answer.status_code == 200
        assert not [word for word in (SECRET, "hook", "127.0.0.1:1") if word in answer.text]


async def test_a_replica_receives_the_hook(client: httpx.AsyncClient) -> None:
    await client.post(f"{OWN}/hooks", json=NEW)
    answer = await client.get(f"{OWN}/snapshot?whole=true", headers=headers_of("replicate"))
    assert SECRET in answer.text


async def test_a_saved_state_has_no_hooks(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    await client.post(f"{OWN}/hooks", json=NEW)
    assert b"hook" not in await write_state(opened.store.snapshot())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "Ops!"}, "name: 'Ops!' is not 1 to 63 of a-z, 0-9 and hyphens"),
        ({"on": ["token"]}, "on: 'token' is not a kind of change"),
        ({"on": ["mapping"] * 101}, "Expected `array` of length <= 100 - at `$.on`"),
        ({"on": []}, "on: nothing is not a kind of change"),
        ({"secret": "whsec_c2hvcnQ="}, "secret: it must be whsec_ followed by 24 to 64 bytes"),
        ({"secret": "hunter2hunter2hunter2hunter2"}, "secret: it must be whsec_"),
        ({"url": "ftp://a.example/"}, "url: 'ftp://a.example/': the scheme must be http or https"),
        ({"url": "https://me:pw@a.example/"}, "url: 'https://***@a.example/' has an @"),
        ({"url": "https://a.example/?a b"}, "url: its query has a character"),
        ({"url": "https://a.example/" + "a" * 2000}, "url: it has 2018 characters"),
    ],
)
async def test_an_invalid_hook_is_refused(
    client: httpx.AsyncClient, change: dict[str, object], text: str
) -> None:
    status, found = told(await client.post(f"{OWN}/hooks", json=NEW | change))
    assert status == 400
    assert text in found
    assert "hunter2" not in found


async def test_a_server_without_private_hooks_refuses_http(opened: bootstrap.Opened) -> None:
    async with client_of(opened, BEARER, settings=Settings()) as client:
        status, text = told(await client.post(f"{OWN}/hooks", json=NEW))
    assert (status, text) == (
        400,
        "url: it must start with https://, unless private receivers are allowed",
    )


async def test_the_number_of_hooks_is_limited(client: httpx.AsyncClient) -> None:
    answers = [await client.post(f"{OWN}/hooks", json={**NEW, "name": ""}) for _ in range(50)]
    assert [answer.status_code for answer in answers] == [200] * 49 + [400]
    assert told(answers[-1])[1] == "there are 50 hooks, which is the limit"


async def test_a_ping_is_sent_at_once_and_its_result_returned(client: httpx.AsyncClient) -> None:
    with Receiver() as receiver:
        await client.post(f"{OWN}/hooks", json={**NEW, "url": receiver.url})
        receiver.statuses = [204, 500]
        results = [(await client.post(f"{OWN}/hooks/new/test")).json()["result"] for _ in range(2)]
    assert results == [
        {"delivered": True, "problem": ""},
        {"delivered": False, "problem": "status 500"},
    ]
    assert receiver.received[0].json["kind"] == "ping"
    assert SECRET not in str(receiver.received[0])


async def test_an_equal_report_changes_nothing(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    report = {"kind": "drift", "subjects": [{"name": "b", "count": 1}, {"name": "a", "count": 2}]}
    first = (await client.post(f"{OWN}/reports", json=report)).json()["result"]
    revision = opened.store.revision
    assert [subject["name"] for subject in first["subjects"]] == ["a", "b"]
    assert (await client.post(f"{OWN}/reports", json=report)).json()["result"] == first
    assert opened.store.revision == revision
    await client.post(f"{OWN}/reports", json={"kind": "drift", "subjects": []})
    assert opened.store.revision == revision + 1
    (listed,) = (await client.get(f"{OWN}/reports")).json()["result"]
    assert listed["subjects"] == []
    twice = {"kind": "ranges", "subjects": report["subjects"] * 2}
    assert (await client.post(f"{OWN}/reports", json=twice)).status_code == 400
