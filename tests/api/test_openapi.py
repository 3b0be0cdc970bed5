"""The OpenAPI document describes exactly the routes and responses of the server."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator

import originmap
from originmap import bootstrap
from originmap.api import errors as answers
from originmap.api.application import Application
from originmap.api.envelope import JSON
from originmap.api.native.openapi import document
from originmap.bootstrap_dev import DevServer
from originmap.domain import errors
from originmap.domain.access import errors as access_errors
from originmap.domain.hook import errors as hook_errors
from originmap.domain.mapping import own_region_errors
from originmap.store.clock import SYSTEM
from scripts import openapi
from tests.api.application import DEV, filled, served
from tests.process import Server

DOCUMENT: dict[str, Any] = json.loads(document())
COMPONENTS = DOCUMENT["components"]
OPENAPI = "/originmap/v1/openapi.json"
CONTROL = "/originmap/dev/"
OPEN = {"/healthz", "/readyz", "/metrics", OPENAPI}

# The possible errors of operations, each as it is raised.
RAISED = [
    errors.InvalidAddress("192.0.2.1/32"),
    errors.AddressMismatch(),
    errors.UnknownRegion("aws", "us-moon-1"),
    errors.InvalidBatch(),
    errors.InvalidPage("page", 100),
    errors.InvalidPage("per_page", 100),
    errors.InvalidPage("per_page", 50),
    errors.InvalidPage("per_page", 1000),
    errors.InvalidTime("since"),
    errors.InvalidZoneName("example"),
    errors.InvalidZoneChange(),
    errors.InvalidZoneType(),
    errors.InvalidNameServers(),
    errors.InvalidSetting(),
    errors.InvalidToken("name must have a length between 1 and 120"),
    errors.UnknownPermissionGroup("0" * 32),
    errors.InvalidTopology(["there is no colo XYZ"]),
    errors.InvalidLatencies(["measurement 0: measured_on is in the future"]),
    errors.InvalidPools(
        ["192.0.2.1 is in the pools api and web: an origin can be in one pool, once"]
    ),
    errors.InvalidExport("there is no colo XYZ"),
    errors.InvalidQuery("unknown argument limit; known are: none"),
    errors.InvalidQuery("a body is required"),
    errors.MalformedJSON(),
    errors.BodyTooLarge(),
    errors.MappingNotFound(),
    errors.ZoneNotFound("0" * 32),
    errors.AccountNotFound("0" * 32),
    errors.TokenNotFound("0" * 32),
    errors.MappingExists(),
    errors.ZoneExists("example.com"),
    errors.TooManyMappings(),
    errors.TieredCacheOff(),
    access_errors.AccountsNotCreatable(),
    access_errors.MissingCredentials("any"),
    access_errors.MissingCredentials("key"),
    access_errors.MissingCredentials("email"),
    access_errors.MalformedCredentials("bearer"),
    access_errors.MalformedCredentials("key"),
    access_errors.MalformedCredentials("email"),
    access_errors.UnknownToken(),
    access_errors.UnusableToken(),
    access_errors.UnknownKey(),
    access_errors.WrongLocation("192.0.2.200"),
    access_errors.WrongColo(["SIN"], "FRA"),
    access_errors.TooManyFailures(),
    errors.RateLimited(30),
    access_errors.Forbidden(),
    own_region_errors.InvalidCatalogue(["region 1 (acme fra-1): the region is there twice"]),
    own_region_errors.RegionStillMapped({("acme", "fra-1"): 3}),
    hook_errors.InvalidHook("name: 'OPS' is not 1 to 63 of a-z, 0-9 and hyphens"),
    hook_errors.HookNotFound("ops"),
    hook_errors.HookExists("ops"),
    errors.RolloutConflict("the rollout is aborted: this step needs one that is running"),
    errors.HistoryGone(7),
    errors.Stale(),
    errors.ZoneChanging(),
    errors.NotThePrimary("http://192.0.2.1:8787"),
    errors.StillFollowing("http://192.0.2.1:8787"),
    errors.StoreEmpty(),
    errors.StoreBusy(),
    errors.StoreFailed(),
]
# Errors that no operation returns. A class that an operation starts to return moves up.
NOT_RAISED = {
    errors.DuplicateAddress,  # an error of one item of a batch
    errors.StoreOwned,  # raised before the server starts
    errors.StoreUnusable,
    errors.PrimaryGone,  # between a replica and its primary
    errors.PrimaryRefused,
    errors.PrimaryMoved,
    errors.PrimaryUntrusted,
    errors.BrokenFeed,
    errors.AnswerTooLarge,
}
# Errors that some routes return in a different form.
OVERRIDDEN = [
    answers.render(kind(), overrides)
    for overrides in (answers.CORE, answers.VERIFY, answers.V1_DELETE)
    for kind in overrides
]
# Responses of the server without an exception.
FIXED = [
    answers.INTERNAL,
    answers.no_route("/client/v4/zones/not-an-identifier/origin/cloud_regions"),
    answers.no_route("/nowhere"),
    answers.method_not_allowed("POST", "GET, HEAD"),
    answers.refusal(503, 10503, "the store cannot be written"),
    answers.refusal(503, 10503, "This replica has not got its first copy yet."),
    answers.BAD_REQUEST,
    answers.BAD_HOST,
    answers.INCOMPLETE,
    answers.URL_TOO_LONG,
    answers.HEADERS_TOO_LARGE,
    answers.TOO_SLOW,
    answers.TOO_MANY,
]


@pytest.fixture
async def app() -> AsyncIterator[Application]:
    server = DevServer()
    async with bootstrap.open_store(bootstrap.MEMORY, server.prepare) as opened:
        yield server.build(opened, lambda: True, DEV, None, SYSTEM)


def at(reference: str) -> Any:
    """The target of a reference in the document."""
    value: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        value = value[name]
    return value


def resolved(value: Any) -> Any:
    """A component in place of a reference to it."""
    return at(value["$ref"]) if "$ref" in value else value


def operations() -> Iterator[tuple[str, str, Any]]:
    """Each described operation, with its path and method."""
    for path, item in DOCUMENT["paths"].items():
        for name, operation in item.items():
            if name != "parameters":
                yield path, name.upper(), operation


def members(value: Any, name: str) -> Iterator[Any]:
    """Every member of this name, anywhere in `value`."""
    for item in value if isinstance(value, list) else ():
        yield from members(item, name)
    for key, item in value.items() if isinstance(value, dict) else ():
        if key == name:
            yield item
        yield from members(item, name)


def holders_of_schemas(value: Any) -> Iterator[Any]:
    """Every object with a schema, which can have examples."""
    for item in value.values() if isinstance(value, dict) else ():
        yield from holders_of_schemas(item)
    if isinstance(value, dict) and "schema" in value:
        yield value


def examples_of(holder: Any) -> list[Any]:
    """The examples of a schema."""
    named = holder.get("examples", {}).values()
    return [
        *([holder["example"]] if "example" in holder else []),
        *(resolved(example)["value"] for example in named),
    ]


def described_failures() -> set[tuple[int, str]]:
    """Each status of an error with the `errors` of each of its examples."""
    listed = [operation["responses"] for _, _, operation in operations()]
    listed.append({"404": {"$ref": "#/components/responses/NotFound"}})
    listed.append({"405": {"$ref": "#/components/responses/MethodNotAllowed"}})
    return {
        (int(status), json.dumps(example["errors"]))
        for responses in listed
        for status, response in responses.items()
        if status >= "400"
        for example in examples_of(resolved(response)["content"][JSON])
    }


def test_the_document_is_valid_openapi() -> None:
    import openapi_spec_validator  # half a second, in each process that collects this file

    openapi_spec_validator.validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_the_packaged_document_is_up_to_date() -> None:
    stale = openapi.generate() != openapi.TARGET.read_bytes()
    assert not stale, "run: python scripts/openapi.py"


def test_the_document_has_the_version_of_the_program() -> None:
    assert DOCUMENT["info"]["version"] == originmap.__version__


def test_routes_and_described_operations_are_the_same(app: Application) -> None:
    found = {
        (re.sub(r":\w+}", "}", template), method)
        for template, methods in served(app).items()
        for method in methods
        if method != "HEAD"
    }
    assert found == {(path, method) for path, method, _ in operations()}


def test_head_is_served_for_every_get_and_not_described(app: Application) -> None:
    assert all(("GET" in methods) == ("HEAD" in methods) for methods in served(app).values())


def test_every_parameter_of_a_path_is_described() -> None:
    for path, item in DOCUMENT["paths"].items():
        described = [resolved(parameter) for parameter in item.get("parameters", [])]
        names = {parameter["name"] for parameter in described if parameter["in"] == "path"}
        assert names == set(re.findall(r"{(\w+)}", path)), path


def test_all_routes_except_those_about_the_server_require_a_credential() -> None:
    for path, _, operation in operations():
        open_to_all = operation.get("security", DOCUMENT["security"]) == []
        assert open_to_all == (path in OPEN), path


@pytest.mark.parametrize("status", ["400", "408", "414", "431", "500", "503"])
def test_the_common_responses_are_described_for_each_operation(status: str) -> None:
    missing = [path for path, _, operation in operations() if status not in operation["responses"]]
    assert not missing


def test_429_is_described_for_every_operation_with_a_credential() -> None:
    for path, _, operation in operations():
        limited = path not in OPEN and not path.startswith(CONTROL)
        assert ("429" in operation["responses"]) == limited, path


def test_only_v1_is_deprecated() -> None:
    for path, _, operation in operations():
        assert operation.get("deprecated", False) == ("/cache/origin_cloud_regions" in path), path


def test_every_error_is_listed_in_this_test() -> None:
    raised = {type(error) for error in RAISED}
    assert not raised & NOT_RAISED
    assert raised | NOT_RAISED == set(answers.TABLE)


def test_exactly_the_possible_errors_are_described() -> None:
    refusals = [*(answers.render(error) for error in RAISED), *OVERRIDDEN, *FIXED]
    answered = {
        (refusal.status, json.dumps(msgspec.to_builtins(refusal.errors))) for refusal in refusals
    }
    assert described_failures() == answered


def test_the_codes_listed_are_those_of_the_examples() -> None:
    found = members([examples_of(holder) for holder in holders_of_schemas(DOCUMENT)], "code")
    used = {code for code in found if isinstance(code, int)}  # codes of colos are strings
    assert used == set(COMPONENTS["schemas"]["ErrorCode"]["enum"])


def test_every_example_fits_its_schema() -> None:
    checked = 0
    for holder in holders_of_schemas(DOCUMENT):
        schema = {**holder["schema"], "components": COMPONENTS}
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for example in examples_of(holder):
            validator.validate(example)
            checked += 1
    assert checked > len(COMPONENTS["examples"])


def test_every_component_is_used() -> None:
    used = set(members(DOCUMENT, "$ref"))
    left = {
        f"{kind}/{name}"
        for kind, components in COMPONENTS.items()
        for name in components
        if kind != "securitySchemes" and f"#/components/{kind}/{name}" not in used
    }
    # The response to methods without an operation.
    assert left == {"responses/MethodNotAllowed"}


def test_the_document_is_served_unchanged_without_a_credential(dev: Server) -> None:
    answer = httpx.get(dev.url + OPENAPI)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == JSON
    assert answer.content == openapi.TARGET.read_bytes()
    assert not answer.json().keys() & {"errors", "messages", "result", "success"}


def test_head_is_handled_like_get_without_a_body(dev: Server) -> None:
    head, get = (httpx.request(method, dev.url + OPENAPI) for method in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "TRACE"])
def test_other_methods_are_answered_405_with_the_supported_ones(
    app: Application, dev: Server, method: str
) -> None:
    for template, methods in served(app).items():
        if method in methods:
            continue
        answer = httpx.request(method, dev.url + filled(template))
        assert answer.status_code == 405
        assert answer.headers["allow"] == ", ".join(methods)
        assert answer.json()["errors"][0]["code"] == 7001
