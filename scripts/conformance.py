"""Generates docs/conformance.md from the packaged facts and the tests that prove them.

A test names the facts that it proves: `@pytest.mark.proves("P-PUT-3")`. The marks are read from the
source of the tests without running them. Run it after every change: python scripts/conformance.py
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))  # the script runs before the package is installed

from originmap.conformance.facts import FACTS, Facts  # noqa: E402

TESTS = ROOT / "tests"
TARGET = ROOT / "docs" / "conformance.md"

HEAD = """# Conformance

What is known about Cloudflare's Origin Cloud Regions API and its neighbours, and the test that
proves the same of Originmap. `scripts/conformance.py` generates this page from the marks on the
tests; a test fails if a row loses its proof.

Nothing here was tested against Cloudflare's servers. A fact is published in the API's reference
(`reference`) or the other documentation (`docs`), is in the source of an official client
(`client`), or is a report about the answers of the real API (`reported`). Proved means that it
holds for this server. To check a fact against another one, see [verify.md](verify.md).
"""


class Proof(NamedTuple):
    """A test that proves a fact."""

    path: str  # from the folder of the tests
    name: str


Proofs = dict[str, list[Proof]]
"""By the id of the fact."""


def main() -> None:
    """Write the page. Exits with an error if a mark or a row is wrong."""
    facts, proofs = FACTS, read_proofs()
    if wrong := problems(facts, proofs):
        raise SystemExit("\n".join(wrong))
    TARGET.write_text(generate(facts, proofs), "utf-8")


def read_proofs() -> Proofs:
    """The `proves` marks of all tests."""
    proofs = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for id_ in marks_of(node):
                    proofs[id_].append(Proof(path.relative_to(TESTS).as_posix(), node.name))
    return dict(proofs)


def marks_of(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The ids in the `proves` marks of a test."""
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.proves":
            yield from (ast.literal_eval(argument) for argument in mark.args)


def problems(facts: Facts, proofs: Proofs) -> list[str]:
    """Problems: duplicate IDs, marks with an unknown fact, facts without a proof."""
    ids = [row.id for rows in facts for row in rows]
    provable = {row.id for rows in (facts.published, facts.decisions) for row in rows}
    decided = {row.id for row in facts.decisions}
    named = {id_ for row in facts.unknown for id_ in row.ours}
    return [
        *(f"{id_}: duplicate ID" for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1})),
        *(f"{id_}: unknown fact, marked on {proofs[id_][0]}" for id_ in proofs.keys() - provable),
        *(f"{id_}: no test proves it" for id_ in sorted(provable - proofs.keys())),
        *(f"{id_}: no such decision" for id_ in sorted(named - decided)),
    ]


def generate(facts: Facts, proofs: Proofs) -> str:
    """The page."""
    published, decisions, unknown = facts
    counters = table(
        ["", ""],
        [
            ["**proved**", str(len(published))],
            ["**ours by decision**", str(len(decisions))],
            ["**unknown**", str(len(unknown))],
        ],
    )
    proved = table(
        ["id", "fact", "from", "proved by"],
        [[row.id, row.fact, row.source, links(proofs[row.id])] for row in published],
    )
    ours = table(
        ["id", "question", "our choice", "proved by"],
        [[row.id, row.question, row.choice, links(proofs[row.id])] for row in decisions],
    )
    open_questions = table(
        ["id", "question", "ours"],
        [[row.id, row.question, ", ".join(row.ours)] for row in unknown],
    )
    return "\n".join(
        [
            HEAD,
            counters,
            "## Published, and proved here\n",
            proved,
            "## Ours by decision\n",
            "Cases that are not published. Reasons are in"
            " [api.md](api.md#where-the-published-api-is-silent).\n",
            ours,
            "## Unknown\n",
            "Questions that the published texts leave open. A fact, once known, takes precedence"
            " over our decision.\n",
            open_questions,
        ]
    )


def table(heading: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def links(proofs: list[Proof]) -> str:
    """Links to the tests, each with the test's name as a sentence."""
    return "; ".join(
        f"[{proof.name.removeprefix('test_').replace('_', ' ')}](../tests/{proof.path})"
        for proof in proofs
    )


if __name__ == "__main__":
    main()
