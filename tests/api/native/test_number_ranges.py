"""Numbers in every route's query and body, derived from the OpenAPI document: an invalid number
causes the documented error and never an internal error.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from originmap.api.native.openapi import document
from originmap.service import initial_data
from tests.api.application import dev_client

DOCUMENT: dict[str, Any] = json.loads(document())
PATHS = {p: item for p, item in DOCUMENT["paths"].items() if not p.startswith("/originmap/dev/")}
"""The control of the development server has tests of its own in tests/dev."""
SERVER = "http://testserver"
TEXTS = [
    "", "nan", "inf", "-1", "+5", "1_000", "1e3", "1.5", "true", "٥", "５", " 5", "0x10",
    "9" * 16, "9" * 5_000, "0" * 5_000 + "5", "0000000000000001999999", "0000000000000000070",
]  # fmt: skip
JSON_NUMBERS = [
    "true", "false", '"5"', "null", "[]", "{}", "1.5", "-1.5", "1e400", "-1e400", "1e308",
    "9223372036854775808", "18446744073709551616", "-9223372036854775809", "9" * 400,
    "-" + "9" * 400, "9" * 5_000, "NaN", "Infinity", "1.0", "1e1",
]  # fmt: skip


def resolved(value: Any) -> Any:
    while isinstance(value, dict) and "$ref" in value:
        found: Any = DOCUMENT
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


def kinds(schema: Any) -> set[str]:
    """The types that a schema accepts."""
    schema = resolved(schema)
    given = schema.get("type", [])
    found = {given} if isinstance(given, str) else set(given)
    for each in [*schema.get("oneOf", []), *schema.get("anyOf", []), *schema.get("allOf", [])]:
        found |= kinds(each)
    return found


def arguments() -> Iterator[tuple[str, str, str]]:
    """Each numeric argument in a query, with method and path."""
    for path, item in PATHS.items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]:
                found = resolved(parameter)
                if found["in"] == "query" and kinds(found["schema"]) & {"integer", "number"}:
                    yield method.upper(), path, found["name"]


def example(operation: Any) -> Any:
    """An example of a body."""
    content = resolved(operation["requestBody"])["content"]["application/json"]
    if "example" in content:
        return content["example"]
    if "examples" in content:
        return resolved(next(iter(content["examples"].values())))["value"]
    return resolved(content["schema"]).get("examples", [{}])[0]


def with_numbers(schema: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """Bodies with MARK in place of each numeric member, and the position of the mark."""
    schema = resolved(schema)
    for each in [*schema.get("oneOf", []), *schema.get("anyOf", []), *schema.get("allOf", [])]:
        yield from with_numbers(each, value)
    if kinds(schema) & {"integer", "number"}:
        yield "", MARK
    for name, member in schema.get("properties", {}).items():
        before = value if isinstance(value, dict) else {}
        for place, changed in with_numbers(member, before.get(name)):
            yield f".{name}{place}", {**before, name: changed}
    if "items" in schema:
        first = value[0] if isinstance(value, list) and value else None
        for place, changed in with_numbers(schema["items"], first):
            yield f"[0]{place}", [changed]


MARK = "a number is put here"


def bodies() -> Iterator[tuple[str, str, str, str]]:
    """Each number in a body, with method and path, its position, and the body."""
    for path, item in PATHS.items():
        for method, operation in item.items():
            if method != "parameters" and "requestBody" in operation:
                content = resolved(operation["requestBody"])["content"].get("application/json", {})
                for place, body in with_numbers(content.get("schema", {}), example(operation)):
                    yield method.upper(), path, place, json.dumps(body)


def url(path: str) -> str:
    """A path with existing identifiers."""
    path = path.replace("{origin_ip}", "192.0.2.1").replace("{format}", "nginx")
    return SERVER + re.sub(r"\{[a-z_]+\}", initial_data.DEV_ID, path)


def assert_documented(answer: httpx.Response, method: str, path: str, asked: str) -> None:
    documented = DOCUMENT["paths"][path][method.lower()]["responses"]
    assert str(answer.status_code) in documented, (asked, answer.text[:300])
    assert answer.status_code < 500, (asked, answer.text[:300])
    assert answer.json()["success"] is (answer.status_code == 200)
    assert len(answer.content) < 2_000


async def test_an_invalid_number_is_refused_by_every_route() -> None:
    found = list(arguments())
    assert {"page", "per_page", "wait", "limit", "before", "at"} <= {name for _, _, name in found}
    async with dev_client() as client:
        for method, path, name in found:
            for text in TEXTS:
                answer = await client.request(method, url(path), params={name: text})
                assert answer.status_code == 400, (path, name, text[:40], answer.text[:200])
                assert_documented(answer, method, path, f"{path} {name}={text[:40]}")


async def test_a_json_number_out_of_its_range_is_never_an_internal_error() -> None:
    found = list(bodies())
    assert {".fallbacks", ".revision", ".to"} <= {place for _, _, place, _ in found}
    async with dev_client() as client:
        for method, path, place, body in found:
            for text in JSON_NUMBERS:
                content = body.replace(json.dumps(MARK), text)
                answer = await client.request(method, url(path), content=content)
                if answer.status_code != 200:
                    assert_documented(answer, method, path, f"{path} {place} {text[:40]}")


@pytest.mark.parametrize("text", ["9" * 400, "9" * 5_000, "1e400", "true", "-1"])
async def test_a_number_as_any_member_is_never_an_internal_error(text: str) -> None:
    """Cloudflare's routes have no numeric members, but clients can send numbers."""
    async with dev_client() as client:
        for path, item in PATHS.items():
            for method, operation in item.items():
                if method == "parameters" or "requestBody" not in operation:
                    continue
                given = example(operation)
                for body in spoiled(given, text):
                    answer = await client.request(method, url(path), content=body)
                    assert answer.status_code < 500, (path, body[:100], answer.text[:200])


async def test_an_unknown_argument_is_refused_by_each_of_our_routes_with_every_method() -> None:
    async with dev_client() as client:
        for path, item in PATHS.items():
            if not path.startswith(("/originmap/v1/", "/v3/")) or path.endswith("openapi.json"):
                continue
            for method in item.keys() - {"parameters"}:
                content = None if method == "get" else b"{}"
                for query in ("?dryrun=1", "?dryrun", "?dryrun=", "?%64ryrun=1"):
                    answer = await client.request(
                        method.upper(), url(path) + query, content=content
                    )
                    assert answer.status_code == 400, (path, method, query)
                    assert "unknown argument dryrun" in answer.json()["errors"][0]["message"]


def spoiled(value: Any, text: str) -> Iterator[str]:
    """The body with `text` in place of it, and in place of each of its members."""
    yield text
    first = value[0] if isinstance(value, list) and value else value
    for name in first if isinstance(first, dict) else ():
        body = json.dumps({**first, name: MARK}).replace(json.dumps(MARK), text)
        yield f"[{body}]" if isinstance(value, list) else body
