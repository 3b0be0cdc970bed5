"""What every answer has: the envelope, the status, the request ID."""

from originmap.verify.check import check
from originmap.verify.expected import success
from originmap.verify.pattern import (
    ANY,
    CLIENT_ERROR,
    FLAG,
    LIST,
    NUMBER,
    TEXT,
    Each,
    Expected,
    Like,
    OneOf,
)
from originmap.verify.trial import Trial

REQUEST_ID = Like("<16 hex digits, a hyphen, a colo>", str, "[0-9a-f]{16}-[A-Z0-9]{2,10}")
RATE = Like('<"name";r=left;t=seconds>', str, r'"[^"]+"\s*;\s*r=\d+\s*;\s*t=\d+.*')
POLICY = Like('<"name";q=allowed;w=seconds>', str, r'"[^"]+"\s*;\s*q=\d+\s*;\s*w=\d+.*')


def every_answer_is_an_envelope(trial: Trial) -> None:
    """A list and a refusal have errors, messages, result and success."""
    envelope = {"errors": LIST, "messages": LIST, "result": ANY, "success": FLAG}
    trial.expect(trial.ask("GET"), Expected(ANY, envelope))
    trial.expect(trial.get(trial.address()), Expected(ANY, envelope))


def a_refusal_has_code_and_message(trial: Trial) -> None:
    """GET of a missing mapping and of a bad page have success false, result null, a code and a
    message."""
    error = {"code": NUMBER, "message": TEXT}
    refused = {"success": False, "result": None, "errors": Each(error)}
    trial.expect(trial.get(trial.address()), Expected(CLIENT_ERROR, refused))
    trial.expect(trial.ask("GET", "?per_page=101"), Expected(CLIENT_ERROR, refused))


def a_creation_is_200(trial: Trial) -> None:
    """PUT of a new mapping is 200."""
    address = trial.address()
    body = {"origin_ip": address, "vendor": "aws", "region": "us-east-1"}
    trial.expect(trial.put(address, body), Expected(200, {"success": True}))


def every_answer_has_a_request_id(trial: Trial) -> None:
    """A list and a refusal have a cf-ray of the known form."""
    for answer in (trial.ask("GET"), trial.get(trial.address())):
        trial.expect(answer, Expected(ANY, ANY, {"cf-ray": REQUEST_ID}))


def a_request_id_is_new(trial: Trial) -> None:
    """Three answers have three different cf-rays."""
    rays = {trial.ask("GET", "?per_page=1").headers.get("cf-ray") for _ in range(3)}
    trial.compare("the number of different cf-rays of three answers", 3, len(rays - {None}))


def unknown_headers_are_ignored(trial: Trial) -> None:
    """A list is returned if the request has unknown headers."""
    headers = (("X-Unknown", "1"), ("Traceparent", "00-0-0-00"), ("Api-Version", "2022-11-28"))
    trial.expect(trial.ask("GET", "?per_page=1", headers=headers), success(LIST))


def the_rate_limit_is_announced(trial: Trial) -> None:
    """Ratelimit and Ratelimit-Policy of a list have the known form."""
    answer = trial.ask("GET", "?per_page=1")
    there = [name for name in ("ratelimit", "ratelimit-policy") if name in answer.headers]
    trial.need(bool(there), "no answer has Ratelimit: the server may have no rate limit")
    headers = {"ratelimit": RATE, "ratelimit-policy": POLICY}
    trial.expect(answer, Expected(200, ANY, headers))


def the_credential_opens_every_operation(trial: Trial) -> None:
    """Each of the seven operations is allowed to the credential of the run."""
    address, other = trial.address(), trial.address("2001:db8")
    item = {"origin_ip": address, "vendor": "aws", "region": "us-east-1"}
    trial.expect(trial.put(address, item), success())
    trial.expect(trial.get(address), success())
    trial.expect(trial.ask("GET"), success())
    trial.expect(trial.ask("PUT", "/batch", [item | {"origin_ip": other}]), success())
    trial.expect(trial.ask("DELETE", "/batch", [other]), success())
    trial.expect(trial.delete(address), success())
    listed = Expected(OneOf((200, 403)), {"errors": OneOf(([], [{"code": 1135}]))})
    trial.expect(trial.ask("GET", "/supported_regions"), listed)


CHECKS = (
    check(every_answer_is_an_envelope, "P-GEN-1"),
    check(a_refusal_has_code_and_message, "P-GEN-2"),
    check(a_creation_is_200, "P-GEN-3"),
    check(the_credential_opens_every_operation, "P-GEN-4"),
    check(every_answer_has_a_request_id, "P-GEN-13"),
    check(a_request_id_is_new, "D-49"),
    check(unknown_headers_are_ignored, "D-39"),
    check(the_rate_limit_is_announced, "P-RATE-3"),
)
