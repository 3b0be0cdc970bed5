"""How a visitor's last change of colos is undone."""

from collections.abc import Mapping
from typing import NamedTuple


class StateUndo(NamedTuple):
    """The states of colos before and after a change, by code."""

    before: Mapping[str, str]
    after: Mapping[str, str]

    def possible(self, states: Mapping[str, str]) -> bool:
        """Whether the colos are still as the change left them; then nobody else decided otherwise
        since."""
        return all(states.get(code) == state for code, state in self.after.items())


def in_words(states: Mapping[str, str]) -> str:
    """States as text: "IAD and EWR are active, SYD is down"."""
    by_state: dict[str, list[str]] = {}
    for code, state in states.items():
        by_state.setdefault(state, []).append(code)
    return ", ".join(f"{_listed(codes)} {state}" for state, codes in by_state.items())


def _listed(codes: list[str]) -> str:
    *first, last = codes
    return f"{', '.join(first)} and {last} are" if first else f"{last} is"
