"""PUT of one mapping."""

from originmap.verify.check import check
from originmap.verify.expected import (
    MALFORMED,
    MISMATCH,
    NO_ADDRESS,
    NO_REGION,
    OTHER_REGION,
    REGION,
    REGION_TEXT,
    item,
    mapping,
    refusal,
    success,
)
from originmap.verify.pattern import CLIENT_ERROR, MICROSECONDS, Expected
from originmap.verify.probe import JSON
from originmap.verify.trial import Trial

_TOO_LARGE = 1 << 20


def put_creates_and_replaces(trial: Trial) -> None:
    """PUT of a new mapping, and of another region for it; GET answers the second one."""
    address = trial.address()
    trial.expect(trial.put(address, item(address)), success(mapping(address)))
    other = mapping(address, "gcp", "us-central1")
    answer = trial.put(address, item(address, "gcp", "us-central1"))
    trial.expect(answer, success(other))
    trial.expect(trial.get(address), success(other))


def put_is_idempotent(trial: Trial) -> None:
    """A second identical PUT is answered like the first, and there is one mapping."""
    address = trial.address()
    for _ in range(2):
        trial.expect(trial.put(address, item(address)), success(mapping(address)))
    listed = [each for each in trial.zone.read() if each == address]
    trial.compare("the mappings of this address in the list", [address], listed)


def an_identical_put_changes_nothing(trial: Trial) -> None:
    """A second identical PUT does not change modified_on."""
    address = trial.address()
    made = trial.made(address)
    trial.expect(trial.put(address, item(address)), success(made))


def path_and_body_must_agree(trial: Trial) -> None:
    """PUT with one address in the path and another in the body."""
    address, other = trial.address(), trial.address()
    trial.expect(trial.put(address, item(other)), MISMATCH)


def an_unsupported_region_is_1157(trial: Trial) -> None:
    """An unknown vendor, an unknown region, and a region of another vendor have code 1157."""
    address = trial.address()
    for place in (("nowhere", REGION), ("aws", "nowhere-1"), ("gcp", REGION)):
        answer = trial.put(address, item(address, *place))
        trial.expect(answer, refusal(CLIENT_ERROR, 1157, REGION_TEXT))


def an_unsupported_region_is_400(trial: Trial) -> None:
    """An unknown region is 400."""
    address = trial.address()
    trial.expect(trial.put(address, item(address, "aws", "nowhere-1")), Expected(400))


def all_members_are_required(trial: Trial) -> None:
    """PUT without origin_ip, vendor or region is refused."""
    address = trial.address()
    for name in ("origin_ip", "vendor", "region"):
        answer = trial.put(address, _without(name, address))
        trial.expect(answer, Expected(CLIENT_ERROR, {"success": False}))


def the_spelling_of_vendor_and_region_is_exact(trial: Trial) -> None:
    """AWS and US-EAST-1 are not supported."""
    address = trial.address()
    for place in (("AWS", REGION), ("aws", REGION.upper())):
        trial.expect(trial.put(address, item(address, *place)), NO_REGION)


def malformed_json_is_6007(trial: Trial) -> None:
    """A body that is no JSON has code 6007."""
    address = trial.address()
    trial.expect(trial.put(address, b"{"), refusal(CLIENT_ERROR, 6007))


def wrong_bodies(trial: Trial) -> None:
    """Malformed JSON, no object, and missing members, each with its status, code and text."""
    address = trial.address()
    for body in (b"{", b'{"origin_ip":"\xff"}', b'{"vendor":NaN}'):
        trial.expect(trial.put(address, body), MALFORMED)
    for body in (b"[]", b"{}", b'{"vendor":"aws","region":"us-east-1"}'):
        trial.expect(trial.put(address, body), NO_ADDRESS)
    for name in ("vendor", "region"):
        trial.expect(trial.put(address, _without(name, address)), NO_REGION)
        trial.expect(trial.put(address, item(address) | {name: 7}), NO_REGION)


def duplicate_and_unknown_members(trial: Trial) -> None:
    """Of two members of one name the last counts; unknown members are ignored."""
    address = trial.address()
    body = (
        '{{"origin_ip":7,"vendor":"gcp","extra":[1],"vendor":"aws","region":"{}","origin_ip":"{}"}}'
    )
    answer = trial.put(address, body.format(REGION, address).encode())
    trial.expect(answer, success(mapping(address)))


def a_body_over_1_mib(trial: Trial) -> None:
    """PUT of a body of more than 1 MiB is 413, code 1146."""
    address = trial.address()
    answer = trial.put(address, b'{"origin_ip":"%b"' % address.encode() + b" " * _TOO_LARGE + b"}")
    trial.expect(answer, refusal(413, 1146, "request body is too large"))


def no_body_that_announces_json(trial: Trial) -> None:
    """PUT without a body, with a content type of JSON and without one, is refused alike."""
    address = trial.address()
    trial.expect(trial.put(address, None, JSON), NO_ADDRESS)
    trial.expect(trial.put(address, None), NO_ADDRESS)


def modified_on_is_precise_and_moves_on(trial: Trial) -> None:
    """modified_on has microseconds, and is later after a change."""
    address = trial.address()
    first = trial.put(address, item(address))
    trial.expect(first, success({"modified_on": MICROSECONDS}))
    second = trial.put(address, item(address, region=OTHER_REGION))
    trial.expect(second, success({"modified_on": MICROSECONDS}))
    times = [each.result.get("modified_on") for each in (first, second) if each.succeeded]
    later = len(times) == 2 and str(times[0]) < str(times[1])
    trial.compare("whether modified_on is later after a change", True, later)


def a_mapping_can_be_managed_as_a_resource(trial: Trial) -> None:
    """The requests of Terraform's resource: create, read, change, read, delete, create at another
    address, read."""
    address, other = trial.address(), trial.address()
    changed = item(address, region=OTHER_REGION)
    trial.expect(trial.put(address, item(address)), success(mapping(address)))
    trial.expect(trial.get(address), success(mapping(address)))
    trial.expect(trial.put(address, changed), success(mapping(address, region=OTHER_REGION)))
    trial.expect(trial.get(address), success(mapping(address, region=OTHER_REGION)))
    trial.expect(trial.delete(address), success())
    trial.expect(trial.put(other, item(other)), success(mapping(other)))
    trial.expect(trial.get(other), success(mapping(other)))


def _without(name: str, address: str) -> dict[str, str]:
    return {key: value for key, value in item(address).items() if key != name}


CHECKS = (
    check(put_creates_and_replaces, "P-PUT-1"),
    check(put_is_idempotent, "P-PUT-2"),
    check(an_identical_put_changes_nothing, "D-9"),
    check(path_and_body_must_agree, "P-PUT-3"),
    check(an_unsupported_region_is_1157, "P-PUT-4"),
    check(an_unsupported_region_is_400, "D-2"),
    check(all_members_are_required, "P-PUT-6"),
    check(a_mapping_can_be_managed_as_a_resource, "P-PUT-7"),
    check(the_spelling_of_vendor_and_region_is_exact, "D-11"),
    check(malformed_json_is_6007, "P-ROUTE-3"),
    check(wrong_bodies, "D-18"),
    check(duplicate_and_unknown_members, "D-18"),
    check(a_body_over_1_mib, "D-19"),
    check(no_body_that_announces_json, "D-33"),
    check(modified_on_is_precise_and_moves_on, "D-20"),
)
