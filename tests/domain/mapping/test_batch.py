"""Rules for batches."""

import pytest

from originmap import data
from originmap.domain.errors import (
    DuplicateAddress,
    InvalidAddress,
    MappingNotFound,
    TooManyMappings,
    UnknownRegion,
)
from originmap.domain.mapping import batch
from originmap.domain.mapping.batch import Item
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import MAX_MAPPINGS, MappingChange
from tests.builders import CENTRAL, US_EAST, US_WEST, created, ip, view


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return data.catalogue()


def _failures(failed: tuple[batch.Failed, ...]) -> list[tuple[str, type]]:
    return [(item.origin_ip, type(item.error)) for item in failed]


@pytest.mark.proves("D-6")
def test_valid_items_are_applied_and_invalid_ones_reported_in_order(catalogue: Catalogue) -> None:
    checked = batch.check_upserts(
        [
            Item("192.0.2.1", "aws", "us-east-1"),
            Item("nonsense", "aws", "us-east-1"),
            Item("2001:DB8::1", "gcp", "nowhere"),
            Item(None, "aws", "us-east-1"),
            Item("192.0.2.2", None, "us-east-1"),
            Item("2001:db8::2", "gcp", "us-central1"),
        ],
        catalogue,
    )
    assert checked.succeeded == {ip("192.0.2.1"): US_EAST, ip("2001:db8::2"): CENTRAL}
    assert _failures(checked.failed) == [
        ("nonsense", InvalidAddress),
        ("2001:db8::1", UnknownRegion),
        ("", InvalidAddress),
        ("192.0.2.2", UnknownRegion),
    ]


@pytest.mark.proves("D-7")
def test_the_first_of_two_spellings_of_an_address_is_used(catalogue: Catalogue) -> None:
    items = [
        Item("2001:db8::1", "aws", "us-east-1"),
        Item("2001:DB8:0::1", "aws", "us-west-2"),
        Item("::ffff:192.0.2.1", "aws", "us-east-1"),
        Item("192.0.2.1", "aws", "us-east-1"),
    ]
    checked = batch.check_upserts(items, catalogue)
    assert checked.succeeded == {ip("2001:db8::1"): US_EAST, ip("192.0.2.1"): US_EAST}
    assert _failures(checked.failed) == [
        ("2001:db8::1", DuplicateAddress),
        ("192.0.2.1", DuplicateAddress),
    ]


@pytest.mark.proves("D-7")
def test_a_later_item_is_not_a_duplicate_of_a_failed_one(catalogue: Catalogue) -> None:
    items = [Item("192.0.2.1", "aws", "nowhere"), Item("192.0.2.1", "aws", "us-east-1")]
    checked = batch.check_upserts(items, catalogue)
    assert checked.succeeded == {ip("192.0.2.1"): US_EAST}
    assert _failures(checked.failed) == [("192.0.2.1", UnknownRegion)]


@pytest.mark.parametrize("vendor", ["AWS", "Aws", "aws ", "", "amazon"])
def test_a_vendor_must_be_spelled_exactly(vendor: str, catalogue: Catalogue) -> None:
    with pytest.raises(UnknownRegion):
        batch.known_place(vendor, "us-east-1", catalogue)


def test_an_upsert_writes_only_differences_and_reports_all_items() -> None:
    valid = {ip("192.0.2.1"): US_EAST, ip("192.0.2.2"): US_EAST, ip("192.0.2.3"): CENTRAL}
    seen = view(("192.0.2.1", US_EAST), ("192.0.2.2", US_WEST))
    decision = batch.upsert(batch.Outcome(valid, ()))(seen)
    assert decision.changes == (
        MappingChange(ip("192.0.2.2"), US_WEST, US_EAST),
        created("192.0.2.3", CENTRAL),
    )
    assert list(decision.outcome.succeeded.items()) == list(valid.items())


@pytest.mark.proves("D-8")
def test_a_batch_over_the_limit_is_rejected_as_a_whole() -> None:
    valid = {ip("192.0.2.1"): US_EAST, ip("192.0.2.2"): US_EAST}
    with pytest.raises(TooManyMappings):
        batch.upsert(batch.Outcome(valid, ()))(view(count=MAX_MAPPINGS - 1))
    full = view(("192.0.2.1", CENTRAL), ("192.0.2.2", CENTRAL), count=MAX_MAPPINGS)
    assert len(batch.upsert(batch.Outcome(valid, ()))(full).changes) == 2


def test_a_batch_delete_reports_deleted_and_failed_items_in_order() -> None:
    texts = ["192.0.2.1", "bad", "192.0.2.9", "192.0.2.1", None, "192.0.2.9", "2001:DB8::2"]
    addresses, decide = batch.delete(texts)
    assert addresses == (ip("192.0.2.1"), ip("192.0.2.9"), ip("2001:db8::2"))
    decision = decide(view(("192.0.2.1", US_EAST), ("2001:db8::2", CENTRAL)))
    assert list(decision.outcome.succeeded.items()) == [
        (ip("192.0.2.1"), US_EAST),
        (ip("2001:db8::2"), CENTRAL),
    ]
    assert _failures(decision.outcome.failed) == [
        ("bad", InvalidAddress),
        ("192.0.2.9", MappingNotFound),
        ("192.0.2.1", DuplicateAddress),
        ("", InvalidAddress),
        ("192.0.2.9", MappingNotFound),
    ]
