"""What the answers of a development server rest on."""

from typing import Any, NamedTuple

from originmap.conformance.fact import STRENGTHS


class Fidelity(NamedTuple):
    """Numbers of answers by what they rest on, since the last reset. `facts` are counted by the IDs
    of docs/conformance.md, `not_served` by method and path."""

    published: int
    observed: int
    decided: int
    unknown: int
    facts: dict[str, int]
    not_served: dict[str, int]

    def require(self, weakest: str) -> None:
        """Raises AssertionError if an answer rests on less than `weakest`, one of STRENGTHS."""
        if weakest not in STRENGTHS:
            raise ValueError(f"{weakest!r} is not one of {', '.join(STRENGTHS)}")
        weaker = STRENGTHS[STRENGTHS.index(weakest) + 1 :]
        found = {name: getattr(self, name) for name in weaker if getattr(self, name)}
        if found:
            counts = ", ".join(f"{count} {name}" for name, count in found.items())
            ids = ", ".join(id_ for id_ in self.facts if not id_.startswith("P-"))
            raise AssertionError(
                f"answers rest on less than {weakest} facts: {counts} ({ids}); see"
                " docs/conformance.md"
            )


def read_fidelity(found: dict[str, Any]) -> Fidelity:
    """The answer of the server as a value."""
    counts = found["responses"]
    strengths = {name: counts[name] for name in STRENGTHS}
    return Fidelity(**strengths, facts=found["facts"], not_served=found["not_served"])
