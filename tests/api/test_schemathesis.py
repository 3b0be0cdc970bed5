"""Schemathesis against a running server, with requests made up from our own document.

It looks for answers that the document does not describe: a status, a code, a content type, a
header or a body of another form. What the answers mean is tested elsewhere. The requests are the
same in every run; SCHEMATHESIS_EXAMPLES asks for more or fewer of them for each operation.
"""

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

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "200"))
DOCUMENT: dict[str, Any] = json.loads(document())
OPENAPI = "/originmap/v1/openapi.json"
ADDRESSES = ("192.0.2.1", "::FFFF:192.0.2.2", "2001:db8::1", "2001:DB8:0:0::2")
PLACES = (("aws", "us-east-1"), ("gcp", "us-central1"), ("azure", "westeurope"))

CHECKS = {
    # A zone made up does not exist, and a mapping made up names no region there is.
    "positive_data_acceptance": {"enabled": False},
    # Missing credentials are answered 400 here; `test_nobody_without_a_credential...` looks.
    "ignored_auth": {"enabled": False},
}
# Answers have the time in them; what is made of them would differ from run to run.
NOTHING_LEARNT = {
    "extra-data-sources": {"responses": False},
    "error-feedback": {"enabled": False},
}
# A batch is answered 200 whatever its items are.
BATCHES = {
    "include-path-regex": "/batch$",
    "checks": {"negative_data_rejection": {"expected-statuses": [200, 400, 401, 403, 405]}},
}


def described(parameters: Mapping[str, str], *, credentials: bool = False) -> Any:
    """Our document for schemathesis, which makes up all but `parameters`, and `credentials`
    where it shall."""
    generation = {
        "max-examples": EXAMPLES,
        "deterministic": True,
        "database": "none",
        "with-security-parameters": credentials,
    }
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "suppress-health-check": ["all"],  # a slow machine is no finding
            "phases": {"fuzzing": NOTHING_LEARNT},
            "generation": generation,
            "checks": CHECKS,
            "operations": [BATCHES],
            "parameters": dict(parameters),
        }
    )
    return schemathesis.openapi.from_dict(DOCUMENT, config=config)


IN_THE_ZONE = described({"path.zone_id": ZONE})
ANYWHERE = described({})
STRANGER = described({"path.zone_id": ZONE}, credentials=True)


@IN_THE_ZONE.hook
def map_case(context: schemathesis.HookContext, case: Case) -> Case:
    """Half of the requests that fit the document are made to fit the zone too: they are about a
    few addresses, and regions that there are."""
    address = case.path_parameters.get("origin_ip", "")
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return case
    if address and chosen((True, False), address):
        case.path_parameters["origin_ip"] = chosen(ADDRESSES, address)
        if isinstance(case.body, dict):
            case.body = likely(case.path_parameters["origin_ip"])
    elif isinstance(case.body, list):
        case.body = [likely_item(item) for item in case.body]
    return case


def likely_item(item: Any) -> Any:
    """An item of a batch, in half of the cases as good as can be."""
    sent = item["origin_ip"] if isinstance(item, dict) else item
    if chosen((True, False), sent):
        return item
    address = chosen(ADDRESSES, sent)
    return likely(address) if isinstance(item, dict) else address


def likely(address: str) -> dict[str, str]:
    """A mapping that can be stored."""
    vendor, region = chosen(PLACES, address)
    return {"origin_ip": address, "vendor": vendor, "region": region}


def chosen(choices: tuple[Any, ...], by: str) -> Any:
    """One of `choices`, the same in every run."""
    return choices[zlib.crc32(by.encode()) // 7 % len(choices)]


class Asked:
    """A server, and the statuses that each operation was answered with in the zone."""

    def __init__(self, server: Server) -> None:
        self._url = server.url
        self._session = requests.Session()
        self.statuses: dict[str, set[int]] = defaultdict(set)

    def ask(self, case: Case, headers: dict[str, str] | None = None) -> int:
        """Send a request, check its answer, and return the status."""
        response = case.call(base_url=self._url, session=self._session, headers=headers)
        case.validate_response(
            response, additional_checks=[envelope_is_complete, codes_are_described], headers=headers
        )
        return response.status_code

    def close(self) -> None:
        self._session.close()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with Server(":memory:", tmp_path_factory.mktemp("dev")) as server:
        stored = httpx.put(
            f"{server.mappings}/batch", headers=BEARER, json=[likely(text) for text in ADDRESSES]
        )
        assert not stored.json()["result"]["failed"]
        asked = Asked(server)
        yield asked
        asked.close()
    never_done = {label for label, statuses in asked.statuses.items() if 200 not in statuses}
    assert not never_done, "no request was good enough to see what a result looks like"


def envelope_is_complete(ctx: CheckContext, response: Response, case: Case) -> None:
    """Every answer but the document itself is an envelope and nothing else."""
    if case.path == OPENAPI and response.status_code == 200:
        return
    answer = json.loads(response.content)
    assert isinstance(answer, dict)
    success = response.status_code < 400
    paged = {"result_info"} if success and isinstance(answer["result"], list) else set()
    assert answer.keys() == {"errors", "messages", "result", "success"} | paged
    assert answer["success"] is success
    assert bool(answer["errors"]) is not success


def codes_are_described(ctx: CheckContext, response: Response, case: Case) -> None:
    """An error's codes are those of an example that the document has for its status."""
    if response.status_code < 400:
        return
    if response.status_code == 405:
        reference = "#/components/responses/MethodNotAllowed"
    else:
        responses = DOCUMENT["paths"][case.path][case.method.lower()]["responses"]
        if str(response.status_code) not in responses:
            return  # which another check reports
        reference = responses[str(response.status_code)]["$ref"]
    examples = at(reference)["content"]["application/json"]["examples"].values()
    expected = [codes(at(example["$ref"])["value"]) for example in examples]
    assert codes(json.loads(response.content)) in expected


def at(reference: str) -> Any:
    """What a reference in the document stands for."""
    value: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        value = value[name]
    return value


def codes(answer: dict[str, Any]) -> list[tuple[int, ...]]:
    """The codes of an answer's errors, each with those of its chain."""
    return [
        (error["code"], *(link["code"] for link in error.get("error_chain", [])))
        for error in answer["errors"]
    ]


@IN_THE_ZONE.parametrize()
def test_requests_about_the_zone_get_described_answers(case: Case, asked: Asked) -> None:
    asked.statuses[case.operation.label].add(asked.ask(case, BEARER))


@ANYWHERE.parametrize()
def test_requests_about_any_zone_get_described_answers(case: Case, asked: Asked) -> None:
    asked.ask(case, BEARER)


@STRANGER.exclude(tag="Server").parametrize()
def test_nobody_without_a_credential_is_told_anything(case: Case, asked: Asked) -> None:
    assert asked.ask(case) >= 400
