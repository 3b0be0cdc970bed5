"""Routes and methods, unknown zones, and the order in which a request is checked."""

from originmap.verify.check import check
from originmap.verify.checks.credentials import NO_CREDENTIAL
from originmap.verify.expected import (
    FORBIDDEN,
    MALFORMED,
    MISMATCH,
    NO_ADDRESS,
    NO_REGION,
    item,
    no_method,
    no_route,
    refusal,
    success,
)
from originmap.verify.pattern import ANY, Expected, OneOf
from originmap.verify.probe import UNKNOWN_ZONE
from originmap.verify.trial import Trial

_METHODS = "DELETE, GET, HEAD, PUT"


def words_win_over_addresses(trial: Trial) -> None:
    """PUT of batch takes a batch, and GET of supported_regions is not taken for an address."""
    address = trial.address()
    written = {"succeeded": [{"origin_ip": address}], "failed": []}
    trial.expect(trial.ask("PUT", "/batch", [item(address)]), success(written))
    errors = OneOf(([], [{"code": 1135}]))
    listed = Expected(
        OneOf((200, 403)), {"errors": errors, "result": OneOf(({"vendors": ANY}, None))}
    )
    trial.expect(trial.ask("GET", "/supported_regions"), listed)


def no_such_route(trial: Trial) -> None:
    """A path below an address, and a malformed zone ID, are 400, codes 7003 and 7000."""
    tail = f"/{trial.address()}/more"
    trial.expect(trial.ask("GET", tail), no_route(trial.zone.path + tail))
    path = "/zones/no-zone/origin/cloud_regions"
    trial.expect(trial.ask_at(path), no_route(path))


def slashes_and_case_are_exact(trial: Trial) -> None:
    """A slash at the end, a doubled slash, and a zone ID in upper case are no routes."""
    address = trial.address()
    paths = [f"{trial.zone.path}/{address}/", f"{trial.zone.path}//{address}"]
    upper = trial.zone.id.upper()
    if upper != trial.zone.id:
        paths.append(trial.zone.path.replace(trial.zone.id, upper))
    for path in paths:
        trial.expect(trial.ask_at(path), no_route(path))


def a_method_that_is_not_served(trial: Trial) -> None:
    """POST, PATCH and OPTIONS of an address are 405, code 7001."""
    address = trial.address()
    for method in ("POST", "PATCH", "OPTIONS"):
        trial.expect(trial.ask(method, f"/{address}"), no_method(method))


def allow_and_head(trial: Trial) -> None:
    """Allow lists what an address takes; HEAD of a mapping is 200 without a body."""
    address = trial.address()
    trial.made(address)
    answer = trial.ask("PATCH", f"/{address}")
    allowed = ", ".join(sorted(answer.headers.get("allow", "").replace(",", " ").split()))
    trial.compare("the methods in Allow", _METHODS, allowed)
    trial.expect(trial.ask("HEAD", f"/{address}"), Expected(200, ""))


def an_unknown_zone(trial: Trial) -> None:
    """The list of an unknown zone is 400 with 7003 and 7000, or 403 with 10000."""
    path = f"/zones/{UNKNOWN_ZONE}/origin/cloud_regions"
    unknown, hidden = no_route(path), FORBIDDEN
    answer = trial.ask_at(path)
    trial.expect(answer, hidden if answer.status == hidden.status else unknown)


def an_unknown_zone_itself(trial: Trial) -> None:
    """GET of an unknown zone is 403, code 9109."""
    answer = trial.ask_at(f"/zones/{UNKNOWN_ZONE}")
    trial.expect(answer, refusal(403, 9109, "Invalid zone identifier"))


def the_order_of_checks(trial: Trial) -> None:
    """Requests with two faults: route, method, credential, address, JSON, fields, path against
    body, region come in this order."""
    address, other = trial.address(), trial.address()
    path = f"{trial.zone.path}/{address}"
    trial.expect(trial.ask_at(f"{path}/more", signed=False), no_route(f"{path}/more"))
    trial.expect(trial.ask("PATCH", f"/{address}", signed=False), no_method("PATCH"))
    trial.expect(trial.ask("GET", "/not-an-address", signed=False), NO_CREDENTIAL)
    trial.expect(trial.put("not-an-address", b"{"), NO_ADDRESS)
    trial.expect(trial.put(address, b'{"origin_ip":7,"vendor":}'), MALFORMED)
    trial.expect(trial.put(address, {"origin_ip": other}), NO_REGION)
    trial.expect(trial.put(address, item(other, "nowhere")), MISMATCH)


CHECKS = (
    check(words_win_over_addresses, "P-GEN-6"),
    check(no_such_route, "P-ROUTE-1"),
    check(slashes_and_case_are_exact, "D-27"),
    check(a_method_that_is_not_served, "P-ROUTE-2", "D-51"),
    check(allow_and_head, "D-26", "D-51"),
    check(an_unknown_zone, "D-22"),
    check(an_unknown_zone_itself, "D-28"),
    check(the_order_of_checks, "D-40"),
)
