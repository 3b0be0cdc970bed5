"""PUT and DELETE of batches.

A server that reads a batch without items another way could delete the whole zone. Such requests are
sent only if the zone has no other mappings, which is looked up just before.
"""

from typing import Any

from originmap.verify.check import check
from originmap.verify.expected import (
    ADDRESS_TEXT,
    NO_BATCH,
    OTHER_REGION,
    REGION,
    REGION_TEXT,
    VENDOR,
    item,
    mapping,
    success,
)
from originmap.verify.pattern import TEXT, Each, Exactly
from originmap.verify.trial import Trial

MOST = 100


def a_batch_has_up_to_100_items(trial: Trial) -> None:
    """PUT and DELETE of 100 mappings."""
    addresses = trial.addresses(MOST)
    answer = trial.ask("PUT", "/batch", [item(each) for each in addresses])
    written = {"succeeded": [{"origin_ip": each} for each in addresses], "failed": []}
    trial.expect(answer, success(written))
    trial.expect(trial.ask("DELETE", "/batch", addresses), success(written))


def a_batch_merges(trial: Trial) -> None:
    """A mapping that a batch does not name stays."""
    there, added = trial.addresses(2)
    trial.made(there)
    trial.ask("PUT", "/batch", [item(added)])
    trial.expect(trial.get(there), success(mapping(there)))
    trial.expect(trial.get(added), success(mapping(added)))


def items_are_checked_one_by_one(trial: Trial) -> None:
    """Of a batch with a good and a bad item, the good one is applied and the bad one in failed."""
    good, bad = trial.addresses(2)
    answer = trial.ask("PUT", "/batch", [item(good), item(bad, "nowhere")])
    outcome = {"succeeded": [{"origin_ip": good}], "failed": [{"origin_ip": bad}]}
    trial.expect(answer, success(outcome))
    trial.expect(trial.get(good), success(mapping(good)))


def items_of_the_answer(trial: Trial) -> None:
    """A succeeded item has address, vendor and region; a failed one an error."""
    good, bad = trial.addresses(2)
    answer = trial.ask("PUT", "/batch", [item(good), item(bad, "nowhere")])
    succeeded = [Exactly(item(good))]
    trial.expect(answer, success({"succeeded": succeeded, "failed": [{"error": TEXT}]}))


def a_failed_item_has_the_text_of_a_single_call(trial: Trial) -> None:
    """Texts and addresses of failed items: an unknown region, no address, no text, no object."""
    bad = trial.address("2001:db8")
    items: list[Any] = [item(bad.upper(), "nowhere"), item("not-an-address"), {"origin_ip": 7}, 7]
    failed = [
        {"origin_ip": bad, "error": REGION_TEXT},
        {"origin_ip": "not-an-address", "error": ADDRESS_TEXT},
        {"origin_ip": "", "error": ADDRESS_TEXT},
        {"origin_ip": "", "error": ADDRESS_TEXT},
    ]
    trial.expect(trial.ask("PUT", "/batch", items), success({"succeeded": [], "failed": failed}))


def an_address_twice_in_a_batch(trial: Trial) -> None:
    """The first of two items with one address counts, the other fails; after a failed item it does
    not."""
    twice, after = trial.addresses(2)
    items = [
        item(twice),
        item(twice.upper(), region=OTHER_REGION),
        item(after, "nowhere"),
        item(after),
    ]
    succeeded = [{"origin_ip": twice, "region": REGION}, {"origin_ip": after}]
    failed = [
        {"origin_ip": twice, "error": "duplicate origin IP address in this batch"},
        {"origin_ip": after, "error": REGION_TEXT},
    ]
    answer = trial.ask("PUT", "/batch", items)
    trial.expect(answer, success({"succeeded": succeeded, "failed": failed}))
    trial.expect(trial.get(twice), success(mapping(twice)))


def a_batch_of_101(trial: Trial) -> None:
    """PUT and DELETE of 101 items are refused, and nothing is applied."""
    addresses = trial.addresses(MOST + 1)
    answer = trial.ask("PUT", "/batch", [item(each) for each in addresses])
    trial.expect(answer, NO_BATCH)
    there = [each for each in trial.zone.read() if each in addresses]
    trial.compare("the mappings that it created", [], there[:3])
    trial.expect(trial.ask("DELETE", "/batch", addresses), NO_BATCH)


def a_batch_that_is_no_array_of_items(trial: Trial) -> None:
    """An empty array, an object, a text and no body are refused by PUT and by DELETE."""
    for body in (b"[]", b"{}", b'"all"', None):
        trial.need_a_zone_of_our_own()
        trial.expect(trial.ask("PUT", "/batch", body), NO_BATCH)
        trial.expect(trial.ask("DELETE", "/batch", body), NO_BATCH)


def a_batch_has_one_modified_on(trial: Trial) -> None:
    """All mappings of a batch have one modified_on."""
    addresses = trial.addresses(3)
    trial.ask("PUT", "/batch", [item(each) for each in addresses])
    found = [trial.get(each) for each in addresses]
    trial.need(all(each.succeeded for each in found), "the batch was not applied")
    times = {str(each.result.get("modified_on")) for each in found}
    trial.compare("the number of different modified_on of a batch of three", 1, len(times))


def an_array_of_addresses_is_deleted(trial: Trial) -> None:
    """DELETE of an array of two addresses deletes both."""
    addresses = trial.addresses(2)
    for each in addresses:
        trial.made(each)
    answer = trial.ask("DELETE", "/batch", addresses)
    trial.expect(answer, success({"succeeded": [{"origin_ip": each} for each in addresses]}))
    there = [each for each in trial.zone.read() if each in addresses]
    trial.compare("the mappings that are left of it", [], there)


def what_went_is_answered(trial: Trial) -> None:
    """A deleted item has the vendor and the region that it had."""
    address = trial.address("2001:db8")
    trial.made(address, VENDOR, OTHER_REGION)
    answer = trial.ask("DELETE", "/batch", [address])
    trial.expect(answer, success({"succeeded": [item(address, region=OTHER_REGION)]}))


def what_is_not_there_fails(trial: Trial) -> None:
    """DELETE of an address without a mapping, and of no address, are in failed."""
    address = trial.address("2001:db8")
    answer = trial.ask("DELETE", "/batch", [address, "not-an-address"])
    trial.expect(answer, success({"succeeded": [], "failed": Each({"error": TEXT})}))
    failed = answer.result.get("failed") if isinstance(answer.result, dict) else None
    named = [each.get("origin_ip") for each in failed or [] if isinstance(each, dict)]
    trial.compare("the addresses in failed", [address, "not-an-address"], named)


def deletion_without_a_body_deletes_nothing(trial: Trial) -> None:
    """DELETE of a batch without a body leaves a mapping of this run."""
    address = trial.address("2001:db8")
    trial.made(address)
    trial.need_a_zone_of_our_own()
    trial.ask("DELETE", "/batch")
    trial.expect(trial.get(address), success(mapping(address)))


CHECKS = (
    check(a_batch_has_up_to_100_items, "P-BPUT-1", "P-BDEL-1"),
    check(a_batch_merges, "P-BPUT-2"),
    check(items_are_checked_one_by_one, "P-BPUT-3"),
    check(items_of_the_answer, "P-BPUT-4"),
    check(a_failed_item_has_the_text_of_a_single_call, "D-6"),
    check(an_address_twice_in_a_batch, "D-7"),
    check(a_batch_of_101, "D-5"),
    check(a_batch_that_is_no_array_of_items, "D-5"),
    check(a_batch_has_one_modified_on, "D-20"),
    check(an_array_of_addresses_is_deleted, "P-BDEL-1"),
    check(what_went_is_answered, "P-BDEL-2"),
    check(what_is_not_there_fails, "P-BDEL-3"),
    check(deletion_without_a_body_deletes_nothing, "P-BDEL-4"),
)
