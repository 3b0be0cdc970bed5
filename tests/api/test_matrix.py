"""Every route with every kind of credential, and data that must stay hidden."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from originmap import bootstrap
from originmap.bootstrap_application import build_app
from originmap.service import initial_data
from tests.api import matrix
from tests.api.application import DEV, client_of, served
from tests.api.matrix import Row, body_of, headers_of, path_of

ROOT = "http://testserver"
ROWS = list(matrix.rows())
ROUTES = sorted({row.template for row in ROWS})

BROKEN = ("none", "bad", "unknown", "expired", "early", "disabled", "away")
STRANGERS = {
    "zone_id": (*BROKEN, "zone", "account", "deny"),
    "account_id": (*BROKEN, "account", "deny"),
    "token_id": (*BROKEN, "zone", "account", "deny"),
}
"""Credentials that must not learn whether an ID of a zone, an account or a token exists."""


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[tuple[httpx.AsyncClient, bootstrap.Opened]]:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        await matrix.furnish(opened)
        async with client_of(opened) as client:
            yield client, opened


async def _send(
    client: httpx.AsyncClient, row: Row, credential: str, method: str = "", **ids: str
) -> httpx.Response:
    return await client.request(
        method or row.method,
        ROOT + path_of(row.template, **ids),
        headers=headers_of(credential),
        json=body_of(row.template, row.method),
    )


def _told(answer: httpx.Response) -> tuple[int, int | None]:
    """The status, and the code of the first error."""
    if answer.status_code == 200:
        return 200, None
    body = answer.json()
    assert (body["success"], body["result"]) == (False, None)
    return answer.status_code, body["errors"][0]["code"]


def _name(row: Row) -> str:
    return f"{row.method} {row.template.replace(':hex32', '')}"


async def test_the_table_has_every_route_with_every_method_and_no_others() -> None:
    async with bootstrap.open_store(bootstrap.MEMORY) as opened:
        table = served(build_app(opened, lambda: True, DEV))
    found = {(template, m) for template, methods in table.items() for m in methods}
    heads = {pair for pair in found if pair[1] == "HEAD"}
    assert sorted((row.template, row.method) for row in ROWS) == sorted(found - heads)
    assert heads == {(row.template, "HEAD") for row in ROWS if row.method == "GET"}


@pytest.mark.proves("P-AUTH-1", "P-AUTH-6", "P-TOKEN-13", "D-23", "D-28", "D-37", "D-43", "D-44")
@pytest.mark.parametrize("row", ROWS, ids=_name)
async def test_each_credential_gets_the_response_in_the_matrix(row: Row) -> None:
    writers = [c for c, answer in row.answers.items() if answer[0] == 200 and not row.only_asks]
    others = [credential for credential in matrix.CREDENTIALS if credential not in writers]
    told = {}
    for credentials in (others, *([writer] for writer in writers)):
        async with world() as (client, opened):
            before = opened.store.revision
            for credential in credentials:
                told[credential] = _told(await _send(client, row, credential))
            assert (opened.store.revision > before) == (credentials is not others)
    assert told == row.answers


@pytest.mark.parametrize("row", [row for row in ROWS if row.method == "GET"], ids=_name)
async def test_head_is_handled_like_get(row: Row) -> None:
    async with world() as (client, _):
        for credential, (status, _) in row.answers.items():
            answer = await _send(client, row, credential, "HEAD")
            assert (credential, answer.status_code) == (credential, status)
            assert answer.content == b""


@pytest.mark.proves("P-ROUTE-2", "D-51")
@pytest.mark.parametrize("template", ROUTES)
async def test_options_is_refused_with_and_without_a_credential(template: str) -> None:
    row = Row(template, "OPTIONS", {})
    async with world() as (client, _):
        for credential in matrix.CREDENTIALS:
            assert _told(await _send(client, row, credential)) == (405, 7001)


@pytest.mark.proves("P-AUTH-7")
async def test_a_refused_credential_is_reported() -> None:
    row = next(row for row in ROWS if row.template.endswith("/zones"))
    async with world() as (client, _):
        away = (await _send(client, row, "away")).json()["errors"]
        unknown = (await _send(client, row, "unknown")).json()["errors"]
    where = "Cannot use the access token from location: 192.0.2.200"
    assert away == [{"code": 9109, "message": where}]
    assert unknown == [{"code": 9109, "message": "Invalid access token"}]


OUR_OWN = [row for row in ROWS if row.template.startswith("/originmap/") and row.answers["none"][1]]


@pytest.mark.parametrize("row", OUR_OWN, ids=_name)
async def test_an_unknown_argument_of_our_own_routes_is_refused(row: Row) -> None:
    path = path_of(row.template)
    url = f"{ROOT}{path}{'&' if '?' in path else '?'}dryrun=true"
    async with world() as (client, opened):
        before = opened.store.revision
        body = body_of(row.template, row.method)
        answer = await client.request(row.method, url, headers=headers_of("all"), json=body)
        assert _told(answer) == (400, 10400)
        assert "unknown argument dryrun" in answer.json()["errors"][0]["message"]
        assert opened.store.revision == before


def _secretive(kind: str) -> Iterator[Row]:
    yield from (row for row in ROWS if f"{{{kind}:hex32}}" in row.template)


def _seen(answer: httpx.Response, sent: str) -> tuple[int, bytes, list[tuple[str, str]]]:
    """A response without its request ID, and without the ID that the client sent."""
    headers = [(name, value) for name, value in answer.headers.items() if name != "cf-ray"]
    shown = [(name, value.replace(sent, "ID")) for name, value in headers]
    return answer.status_code, answer.content.replace(sent.encode(), b"ID"), shown


@pytest.mark.proves("D-22", "D-28")
@pytest.mark.parametrize(
    ("kind", "row"),
    [(kind, row) for kind in STRANGERS for row in _secretive(kind)],
    ids=lambda value: _name(value) if isinstance(value, Row) else value,
)
async def test_a_token_without_permissions_cannot_tell_which_records_exist(
    kind: str, row: Row
) -> None:
    async with world() as (client, _):
        for credential in STRANGERS[kind]:
            present = path_of(row.template).split("/")
            there = dict(zip(row.template.split("/"), present, strict=True))[f"{{{kind}:hex32}}"]
            existing = _seen(await _send(client, row, credential), there)
            absent = await _send(client, row, credential, **{kind: matrix.ABSENT})
            assert _seen(absent, matrix.ABSENT) == existing, credential


@pytest.mark.parametrize("row", list(_secretive("token_id")), ids=_name)
async def test_tokens_of_other_owners_are_not_revealed(row: Row) -> None:
    others = matrix.USER_TOKEN if "account_id" in row.template else matrix.ACCOUNT_TOKEN
    async with world() as (client, _):
        for credential in ("all", "owned", "key"):
            existing = _seen(await _send(client, row, credential, token_id=others), others)
            absent = await _send(client, row, credential, token_id=matrix.ABSENT)
            assert _seen(absent, matrix.ABSENT) == existing
            assert _told(absent) in {(404, 1003), row.answers[credential]}


@pytest.mark.parametrize("row", list(_secretive("token_id")), ids=_name)
async def test_a_token_of_another_account_is_not_found_through_ones_own(row: Row) -> None:
    if "account_id" not in row.template:
        return
    mine = {"account_id": matrix.OTHER_ACCOUNT}
    async with world() as (client, _):
        existing = await _send(client, row, "account", token_id=matrix.ACCOUNT_TOKEN, **mine)
        absent = await _send(client, row, "account", token_id=matrix.ABSENT, **mine)
        assert _told(existing) == (404, 1003)
        assert _seen(existing, matrix.ACCOUNT_TOKEN) == _seen(absent, matrix.ABSENT)


async def test_a_new_zone_does_not_reveal_accounts() -> None:
    async with world() as (client, _):
        answers = [
            await client.post(
                f"{ROOT}/client/v4/zones",
                headers=headers_of("account"),
                json={"name": "new.example", "account": {"id": account}},
            )
            for account in (matrix.ACCOUNT, matrix.ABSENT)
        ]
    assert _told(answers[0]) == (403, 10000)
    assert answers[0].content == answers[1].content


async def test_an_accounts_new_token_does_not_reveal_zones_of_other_accounts() -> None:
    row = next(r for r in ROWS if r.method == "POST" and "account_id" in r.template)
    seen = []
    async with world() as (client, _):
        for zone in (matrix.FOREIGN_ZONE, matrix.ABSENT):
            body = body_of(row.template, "POST")
            body["policies"][0]["resources"] = {f"com.cloudflare.api.account.zone.{zone}": "*"}
            url = ROOT + path_of(row.template)
            answer = await client.post(url, headers=headers_of("owned"), json=body)
            assert _told(answer) == (400, 400)
            seen.append(_seen(answer, zone))
    assert seen[0] == seen[1]
