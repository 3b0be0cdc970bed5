"""Schemathesis against a running server, with requests generated from our own document.

It finds responses that the document does not describe: a status, a code, a content type, a header,
or a body of another form. The meaning of responses is tested elsewhere. The requests are the same
in every run; SCHEMATHESIS_EXAMPLES sets how many of them are random, per operation. `make fuzz` has
a hundred.

Requests that change zones and tokens are sent to separate zones and tokens, because later requests
need the original ones. Each change of the topology, the latencies and the own regions is undone,
too.
"""

import gc
import itertools
import json
import os
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response

from originmap.api.native.openapi import document
from tests.process import BEARER, ZONE, Server

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "5"))
DOCUMENT: dict[str, Any] = json.loads(document())
OPENAPI = "/originmap/v1/openapi.json"
BASE = "/client/v4"
TOPOLOGY = "/originmap/v1/topology"
LATENCIES = "/originmap/v1/latencies"
CATALOGUE = "/originmap/v1/catalogue"
EXPORT = "/originmap/v1/export/{format}"
DISCOVERY = "/v3/discovery:"
V1 = "/cache/origin_cloud_regions"
ADDRESSES = ("192.0.2.1", "::FFFF:192.0.2.2", "2001:db8::1", "2001:DB8:0:0::2")
POLICY = {
    "effect": "allow",
    "permission_groups": [{"id": "517b21aee92c4d89936c976ba6e4be55"}],
    "resources": {f"com.cloudflare.api.account.zone.{ZONE}": "*"},
}
HOOK = {"url": "https://192.0.2.10/", "on": ["rollout"], "secret": "whsec_" + "c2VjcmV0" * 4}
TOKEN_REQUEST = {"name": "own", "policies": [POLICY]}
COLO = {
    "code": "IAD",
    "city": "Ashburn",
    "country": "US",
    "latitude": 38.9445,
    "longitude": -77.4558,
}
MEASUREMENT = {
    "colo": "IAD",
    "vendor": "aws",
    "region": "us-east-1",
    "milliseconds": 1.5,
    "measured_on": "2026-03-01T12:00:00Z",
}
OWN_REGION = {"vendor": "acme", "region": "fra-1", "latitude": 50.1, "longitude": 8.7}
PLACES = (("aws", "us-east-1"), ("gcp", "us-central1"), ("azure", "westeurope"))

CHECKS = {
    # A generated zone does not exist, and a generated mapping names no existing region.
    "positive_data_acceptance": {"enabled": False},
    # Missing credentials get 400 here; `test_without_a_credential_no_data_is_revealed` checks them.
    "ignored_auth": {"enabled": False},
    # Those of schemathesis, and 414: a generated URL can be longer than any request may be.
    "negative_data_rejection": {
        "expected-statuses": [
            400, 401, 403, 404, 405, 406, 409, 414, 415, 422, 428, 429, "5xx",
        ],
    },
}  # fmt: skip
# Responses contain the time; requests derived from them would differ between runs.
NOTHING_LEARNT = {
    "extra-data-sources": {"responses": False},
    "error-feedback": {"enabled": False},
}
# Lists that are returned completely, or without their length.
WITHOUT_INFO = (
    "/audit_logs", "/permission_groups", "/latencies", "/followers", "/history",
    "/originmap/v1/tokens", "/originmap/v1/audit", "/names", "/hooks", "/reports",
)  # fmt: skip
SETTINGS = ("/tiered_caching", "/tiered_cache_smart_topology_enable", "/regional_tiered_cache")
# The response to a batch is 200 even if all items are invalid; our own batch answers 404 first.
BATCHES = {
    "include-path-regex": "/batch$",
    "checks": {"negative_data_rejection": {"expected-statuses": [200, 400, 401, 403, 404, 405]}},
}


def described(
    parameters: Mapping[str, str], *, limits: bool = False, credentials: bool = False
) -> Any:
    """Our document for schemathesis, which generates everything except `parameters`; with
    `credentials` these too. With `limits` it tries each limit of each parameter and body: requests
    that name existing things get furthest with them.
    """
    phases: dict[str, Any] = {"fuzzing": NOTHING_LEARNT, "coverage": {"enabled": limits}}
    generation = {
        "max-examples": EXAMPLES,
        "deterministic": True,
        "database": "none",
        "with-security-parameters": credentials,
    }
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "suppress-health-check": ["all"],  # a slow machine is not an error
            "phases": phases,
            "generation": generation,
            "checks": CHECKS,
            "operations": [BATCHES],
            "parameters": {"query.wait": "0", **parameters},  # this test does not wait for changes
        }
    )
    return schemathesis.openapi.from_dict(DOCUMENT, config=config)


def of_fixture(name: str) -> Any:
    """The operations of a fixture, because what schemathesis prepares takes seconds, and each
    process of the tests collects this file."""
    operations = schemathesis.pytest.from_fixture(name)
    tested = operations.exclude(path=[SNAPSHOT, ROLLBACK])
    return tested.exclude(path_regex="^/originmap/dev/")


# A snapshot is lines of JSON, not one value. A rollback, and the control of the development server,
# undo data that the other tests need. All of them have separate tests.
SNAPSHOT = "/originmap/v1/snapshot"
ROLLBACK = "/originmap/v1/zones/{zone}/rollback"


HERE = {
    "path.zone_id": ZONE,
    "path.account_id": ZONE,
    "path.token_id": ZONE,
    "path.zone": ZONE,
    "path.hook": "ops",
}
IN_THE_ZONE = of_fixture("in_the_zone")
ANYWHERE = of_fixture("anywhere")
STRANGER = of_fixture("stranger").exclude(tag="Server")


@pytest.fixture(autouse=True)
def _prepared(request: pytest.FixtureRequest) -> Iterator[None]:
    """Schemathesis 4.32 reads an attribute of tests that pytest 9.2 does not have. What it prepares
    lives until the test ends, so looking for garbage in it only takes time."""
    request.node._nodeid = request.node.nodeid
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def in_the_zone() -> Any:
    document = described(HERE, limits=True)
    document.hook(map_case)
    return document


@pytest.fixture
def anywhere() -> Any:
    return described({})


@pytest.fixture
def stranger() -> Any:
    return described(HERE, credentials=True)


def map_case(context: schemathesis.HookContext, case: Case) -> Case:
    """Half of the valid requests use the zone's data: a few addresses, and existing
    regions."""
    address = case.path_parameters.get("origin_ip", "")
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return case
    if address and chosen((True, False), address):
        case.path_parameters["origin_ip"] = chosen(ADDRESSES, address)
        if isinstance(case.body, dict):
            case.body = likely(case.path_parameters["origin_ip"])
    elif case.path.endswith("/resolve") and chosen((True, False), repr(case.query)):
        case.query = {"ip": list(ADDRESSES), "colo": "IAD", "url": "http://a.test/b?c"}
    elif case.path.startswith(EXPORT) and chosen((True, False), repr(case.query)):
        case.query = {"upstream": ["{colo}.example:80"]}
        case.path_parameters["format"] = chosen(("nginx", "csv", "mmdb"), repr(case.headers))
    elif isinstance(case.body, list) and case.path == LATENCIES:
        case.body = [MEASUREMENT for _ in case.body]
    elif isinstance(case.body, list) and case.path.endswith("/batch"):
        case.body = [likely_item(item) for item in case.body]
    elif isinstance(case.body, dict) and chosen((True, False), repr(case.body)):
        case.body = likely_body(case)
    return case


def likely_item(item: Any) -> Any:
    """An item of a batch; half of the items are valid if possible."""
    name = "ip" if isinstance(item, dict) and "ip" in item else "origin_ip"
    sent = item[name] if isinstance(item, dict) else item
    if chosen((True, False), sent):
        return item
    address = chosen(ADDRESSES, sent)
    return likely(address, name) if isinstance(item, dict) else address


def likely(address: str, name: str = "origin_ip") -> dict[str, str]:
    """A valid mapping."""
    vendor, region = chosen(PLACES, address)
    return {name: address, "vendor": vendor, "region": region}


def likely_body(case: Case) -> Any:
    """A valid body for the path of `case`."""
    if case.path.endswith(V1):
        return likely(chosen(ADDRESSES, repr(case.body)), "ip")
    if case.path == f"{BASE}/zones":
        name = f"z{zlib.crc32(repr(case.body).encode())}.example"
        return {**case.body, "name": name, "account": {"id": ZONE}}
    if "/tokens" in case.path and "policies" in case.body:
        limits = {"not_before": None, "expires_on": None, "condition": None}
        return {**case.body, **limits, "policies": [POLICY]}
    if case.path.startswith(DISCOVERY):
        return {"node": {"metadata": {"originmap": {"upstream": ["{colo}.example:80"]}}}}
    if case.path.endswith("/hooks"):
        return HOOK
    if case.path.endswith("/dead"):
        return {}
    if case.path.endswith("/reports"):
        return {"kind": "drift", "subjects": []}
    if case.path.endswith("/detect"):
        return {"addresses": [ADDRESSES[0], likely(ADDRESSES[2], "ip")]}
    if case.path == TOPOLOGY and case.method == "PUT":
        settled = {"cache_template": "", "hubs": {}, "generic_pool": []}
        overrides = {"aws/us-east-1": ["IAD"]}
        return {**case.body, "colos": [COLO], "overrides": overrides, **settled}
    if case.path == CATALOGUE:
        return {"regions" if case.method == "PUT" else "add": [OWN_REGION]}
    if case.path == TOPOLOGY or case.path.endswith("/whatif"):
        return {"states": {"IAD": "down"}}
    return case.body


def chosen(choices: tuple[Any, ...], by: str) -> Any:
    """One of `choices`, the same in every run."""
    return choices[zlib.crc32(by.encode()) // 7 % len(choices)]


class Asked:
    """A server, and the statuses of each operation's responses in the zone."""

    def __init__(self, server: Server) -> None:
        self._url = server.url
        self._api = server.api
        self._made = itertools.count()
        self._session = requests.Session()
        self._session.trust_env = False  # reading proxies and .netrc for each request takes a while
        made = self._make(f"/accounts/{ZONE}/tokens", TOKEN_REQUEST)
        self._account_token = {"Authorization": f"Bearer {made['value']}"}
        topology = self._session.get(server.url + TOPOLOGY, headers=BEARER).json()["result"]
        self._before: dict[str, Any] = {
            TOPOLOGY: topology,
            LATENCIES: [],
            CATALOGUE: {"regions": []},
        }
        self.statuses: dict[str, set[int]] = defaultdict(set)

    def ask(self, case: Case, headers: dict[str, str] | None = None) -> int:
        """Send a request, check its response, and return the status."""
        self._give_its_own(case)
        if headers and case.path.endswith("/{account_id}/tokens/verify"):
            headers = self._account_token  # which verifies only tokens of the account
        # A copy, because the call adds its own headers to it.
        sent = {**headers} if headers else None
        response = case.call(base_url=self._url, session=self._session, headers=sent)
        if "/tokens" in case.path:
            self._remove_token(case, response)
        if "/hooks" in case.path:
            self._remove_hooks()
        if case.path in self._before and case.method != "GET":
            self._session.put(
                self._url + case.path, json=self._before[case.path], headers=BEARER
            ).raise_for_status()
        case.validate_response(
            response, additional_checks=[envelope_is_complete, codes_are_described], headers=headers
        )
        return response.status_code

    def close(self) -> None:
        self._session.close()

    def _give_its_own(self, case: Case) -> None:
        """Redirect a request from the zone and the token that all other requests use."""
        path, parameters = case.path, case.path_parameters
        changes_zone = path.endswith(SETTINGS) or path == f"{BASE}/zones/{{zone_id}}"
        if parameters.get("zone_id") == ZONE and changes_zone:
            zone = {"name": f"own{next(self._made)}.example", "account": {"id": ZONE}}
            parameters["zone_id"] = self._make("/zones", zone)["id"]
        elif parameters.get("token_id") == ZONE:
            tokens = path.removeprefix(BASE).partition("/{token_id}")[0].format(account_id=ZONE)
            parameters["token_id"] = self._make(tokens, TOKEN_REQUEST)["id"]
        elif path.endswith("/tokens/{token}"):
            parameters["token"] = self._make("/user/tokens", TOKEN_REQUEST)["id"]
        elif parameters.get("hook") == "ops":
            url = f"{self._url}/originmap/v1/hooks"
            self._session.post(url, json={**HOOK, "name": "ops"}, headers=BEARER)
        address = parameters.get("origin_ip")
        if address in ADDRESSES:
            # Another test may have removed the mapping.
            where = f"{self._api}/zones/{ZONE}/origin/cloud_regions/{address}"
            self._session.put(where, json=likely(address), headers=BEARER).raise_for_status()
        if path.endswith(V1) and case.method == "POST" and next(self._made) % 2:
            # POST requires an address without a mapping.
            for address in ADDRESSES:
                where = f"{self._api}/zones/{ZONE}/origin/cloud_regions/{address}"
                self._session.delete(where, headers=BEARER)

    def _remove_token(self, case: Case, response: Response) -> None:
        """Remove the token that a request created or used: the number of tokens per owner is
        limited.
        """
        made = json.loads(response.content).get("result") if case.method == "POST" else None
        token = made["id"] if made else case.path_parameters.get("token_id")
        if made and not case.path.startswith(BASE):
            self._session.delete(f"{self._api}/user/tokens/{token}", headers=BEARER)
        elif token and token != ZONE:
            where = case.path.removeprefix(BASE).partition("/{token_id}")[0]
            where = where.format(account_id=case.path_parameters.get("account_id"))
            self._session.delete(f"{self._api}{where}/{token}", headers=BEARER)

    def _remove_hooks(self) -> None:
        """Remove all hooks: their number is limited."""
        url = f"{self._url}/originmap/v1/hooks"
        for hook in self._session.get(url, headers=BEARER).json()["result"]:
            self._session.delete(f"{url}/{hook['name']}", headers=BEARER)

    def _make(self, where: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._session.post(self._api + where, json=body, headers=BEARER).json()
        result: dict[str, Any] = answer["result"]
        return result


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    # Hooks then accept no address that is generated.
    args = ("--no-private-hooks",)
    with Server(":memory:", tmp_path_factory.mktemp("dev"), args=args) as server:
        stored = httpx.put(
            f"{server.mappings}/batch", headers=BEARER, json=[likely(text) for text in ADDRESSES]
        )
        assert not stored.json()["result"]["failed"]
        asked = Asked(server)
        yield asked
        asked.close()
    never_done = {
        label
        for label, statuses in asked.statuses.items()
        if 200 not in statuses and can_succeed(label)
    }
    assert not never_done, f"no request had a result, so none was checked: {never_done}"


def can_succeed(label: str) -> bool:
    """Whether the document has a success for an operation; creating an account has none."""
    method, path = label.split(" ", 1)
    return "200" in DOCUMENT["paths"][path][method.lower()]["responses"]


def envelope_is_complete(ctx: CheckContext, response: Response, case: Case) -> None:
    """Every response except the document, the metrics and files for caches is an envelope."""
    plain = case.path in (OPENAPI, "/metrics", EXPORT) or case.path.startswith(DISCOVERY)
    if plain and response.status_code < 400:
        return
    answer = json.loads(response.content)
    assert isinstance(answer, dict)
    success = response.status_code < 400
    listed = success and isinstance(answer["result"], list)
    paged = {"result_info"} if listed and not case.path.endswith(WITHOUT_INFO) else set()
    assert answer.keys() == {"errors", "messages", "result", "success"} | paged
    assert answer["success"] is success
    assert bool(answer["errors"]) is not success


def codes_are_described(ctx: CheckContext, response: Response, case: Case) -> None:
    """An error's codes are those of an example in the document for its status."""
    if response.status_code < 400:
        return
    if response.status_code == 405:
        reference = "#/components/responses/MethodNotAllowed"
    else:
        responses = DOCUMENT["paths"][case.path][case.method.lower()]["responses"]
        if str(response.status_code) not in responses:
            return  # another check reports it
        reference = responses[str(response.status_code)]["$ref"]
    examples = at(reference)["content"]["application/json"]["examples"].values()
    expected = [codes(at(example["$ref"])["value"]) for example in examples]
    assert codes(json.loads(response.content)) in expected


def at(reference: str) -> Any:
    """The target of a reference in the document."""
    value: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        value = value[name]
    return value


def codes(answer: dict[str, Any]) -> list[tuple[int, ...]]:
    """The codes of a response's errors, each with those of its chain; several reasons with one code
    count as one.
    """
    found = [
        (error["code"], *(link["code"] for link in error.get("error_chain", [])))
        for error in answer["errors"]
    ]
    return list(dict.fromkeys(found))


@pytest.mark.proves("P-GEN-1")
@IN_THE_ZONE.parametrize()
def test_requests_about_the_zone_get_described_responses(case: Case, asked: Asked) -> None:
    asked.statuses[case.operation.label].add(asked.ask(case, BEARER))


@ANYWHERE.parametrize()
def test_requests_about_any_zone_get_described_responses(case: Case, asked: Asked) -> None:
    asked.ask(case, BEARER)


@STRANGER.parametrize()
def test_without_a_credential_no_data_is_revealed(case: Case, asked: Asked) -> None:
    assert asked.ask(case) >= 400
