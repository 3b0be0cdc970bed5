"""The conformance page agrees with the tests: every row has its proof, and no row is outdated."""

import pytest

from originmap.conformance.fact import OurChoice, Published, Unknown
from originmap.conformance.facts import FACTS, Facts
from scripts import conformance


@pytest.fixture(scope="module")
def proofs() -> conformance.Proofs:
    """The tests that prove facts, by the IDs of the facts."""
    return conformance.read_proofs()


def test_every_fact_has_a_proof_and_every_proof_a_fact(proofs: conformance.Proofs) -> None:
    assert conformance.problems(FACTS, proofs) == []


def test_the_page_is_up_to_date_with_the_tests(proofs: conformance.Proofs) -> None:
    page = conformance.generate(FACTS, proofs)
    stale = page != conformance.TARGET.read_text("utf-8")
    assert not stale, "run: python scripts/conformance.py"


def test_errors_are_detected() -> None:
    published = tuple(Published(id_, "docs", "") for id_ in ("P-1", "P-1", "P-2"))
    unknown = (Unknown("U-1", "", ("D-1", "D-2")),)
    facts = Facts(published, (OurChoice("D-1", "", ""),), unknown)
    proof = [conformance.Proof("x.py", "test_x")]
    wrong = conformance.problems(facts, {"P-1": proof, "D-1": proof, "U-1": proof})
    assert wrong == [
        "P-1: duplicate ID",
        f"U-1: unknown fact, marked on {proof[0]}",
        "P-2: no test proves it",
        "D-2: no such decision",
    ]
