"""Every check reports "same" for a correct server, and "different" for a wrong one."""

from collections.abc import Iterator, Sequence

import pytest

from originmap.client.connection import Credentials
from originmap.conformance.facts import FACTS
from originmap.verify.check import DIFFERENT, SAME, Check, CheckOutcome
from originmap.verify.connection import ProbeConnection
from originmap.verify.redaction import Redactor
from originmap.verify.registry import CHECKS, UNTRIED
from originmap.verify.report import known_ids
from originmap.verify.verification import run_checks
from originmap.verify.zone_under_test import ZoneUnderTest
from tests.process import TOKEN
from tests.verify.conftest import Zones
from tests.verify.distortions import DISTORTIONS
from tests.verify.wrong_server import WrongServer

WITHOUT_TIERED_CACHE = {"tiered_cache_is_required", "without_tiered_cache"}


@pytest.fixture(scope="module")
def wrong(zones: Zones) -> Iterator[WrongServer]:
    with WrongServer(zones.url) as server:
        yield server


def outcome_of(check: Check, api: str, zones: Zones) -> CheckOutcome:
    zone = zones.off if check.name in WITHOUT_TIERED_CACHE else zones.on
    (outcome,), changed = run([check], api, zone)
    assert changed == []
    return outcome


def run(checks: Sequence[Check], api: str, zone_id: str) -> tuple[list[CheckOutcome], list[str]]:
    with ProbeConnection(api, Credentials(TOKEN)) as connection:
        zone = ZoneUnderTest(connection, zone_id, Redactor({}), has_token=True)
        return run_checks(checks, zone, lambda: None, lambda: None)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_passes_on_a_correct_server(check: Check, zones: Zones) -> None:
    outcome = outcome_of(check, zones.api, zones)
    assert (outcome.verdict, outcome.reason) == (SAME, ""), outcome.compared


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_fails_on_a_server_that_is_wrong_in_its_subject(
    check: Check, zones: Zones, wrong: WrongServer
) -> None:
    wrong.distort = DISTORTIONS[check.name]
    try:
        outcome = outcome_of(check, wrong.api, zones)
    finally:
        wrong.distort = lambda passing: None
    assert outcome.verdict == DIFFERENT, (outcome.reason, outcome.compared)


def test_every_check_has_a_unique_name_and_a_description() -> None:
    names = [check.name for check in CHECKS]
    assert sorted(set(names)) == sorted(names)
    assert set(DISTORTIONS) == set(names)
    assert all(check.description for check in CHECKS)


def test_every_fact_has_a_check_or_a_reason_for_none() -> None:
    facts = FACTS
    tried = {id_ for check in CHECKS for id_ in check.facts}
    answered = {row.id for row in facts.unknown if row.ours}
    assert tried.isdisjoint(UNTRIED)
    assert tried | set(UNTRIED) <= set(known_ids(facts))
    assert set(known_ids(facts)) - tried - set(UNTRIED) <= answered
