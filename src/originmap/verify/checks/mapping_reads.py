"""GET and DELETE of one mapping."""

from originmap.verify.check import check
from originmap.verify.expected import (
    MISSING,
    MISSING_TEXT,
    OTHER_REGION,
    item,
    refusal,
    success,
)
from originmap.verify.pattern import ANY, TEXT, TIME, Exactly, Expected
from originmap.verify.trial import Trial


def get_answers_the_mapping(trial: Trial) -> None:
    """GET after PUT answers what PUT answered."""
    address = trial.address()
    made = trial.made(address)
    trial.expect(trial.get(address), success(made))


def a_mapping_has_four_members(trial: Trial) -> None:
    """GET, PUT and the list answer origin_ip, vendor, region and modified_on."""
    address = trial.address()
    members = {"origin_ip": TEXT, "vendor": TEXT, "region": TEXT, "modified_on": TIME}
    trial.expect(trial.put(address, item(address)), success(members))
    trial.expect(trial.get(address), success(members))
    trial.expect(trial.ask("GET", "?per_page=1"), success([members]))


def get_without_a_mapping(trial: Trial) -> None:
    """GET of an address without a mapping is 404, code 1142."""
    trial.expect(trial.get(trial.address()), refusal(404, 1142, MISSING_TEXT))


def get_and_delete_without_a_mapping(trial: Trial) -> None:
    """GET and DELETE of an address without a mapping are 404, code 1142."""
    address = trial.address()
    trial.expect(trial.get(address), MISSING)
    trial.expect(trial.delete(address), MISSING)


def delete_answers_the_address(trial: Trial) -> None:
    """DELETE answers the address and nothing else."""
    address = trial.address()
    trial.made(address)
    trial.expect(trial.delete(address), success(Exactly({"origin_ip": address})))


def delete_without_a_mapping(trial: Trial) -> None:
    """A second DELETE is 404."""
    address = trial.address()
    trial.made(address)
    trial.delete(address)
    trial.expect(trial.delete(address), Expected(404))


def the_tag_of_a_mapping(trial: Trial) -> None:
    """GET has an ETag; PUT with another If-Match is 412, with this one it is 200."""
    address = trial.address()
    trial.made(address)
    answer = trial.get(address)
    trial.expect(answer, Expected(200, ANY, {"etag": TEXT}))
    changed = item(address, region=OTHER_REGION)
    foreign = (("If-Match", '"no-tag-of-this-server"'),)
    trial.expect(trial.put(address, changed, foreign), refusal(412, 10412))
    right = (("If-Match", answer.headers.get("etag", "*")),)
    trial.expect(trial.put(address, changed, right), success())


CHECKS = (
    check(get_answers_the_mapping, "P-GET-1"),
    check(a_mapping_has_four_members, "P-GEN-8"),
    check(get_without_a_mapping, "P-GET-2"),
    check(get_and_delete_without_a_mapping, "D-1"),
    check(delete_answers_the_address, "P-DEL-1"),
    check(delete_without_a_mapping, "P-DEL-2"),
    check(the_tag_of_a_mapping, "D-54"),
)
