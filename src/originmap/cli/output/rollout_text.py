"""How a rollout is printed."""

from collections.abc import Iterator

from originmap.cli import options
from originmap.domain.rollout.rollout import RolloutState
from originmap.service.rollout.rollout_json import RolloutJSON

_NO_MORE = 1_000
_STATES = {
    RolloutState.HELD: "every node stays at revision {base}",
    RolloutState.RUNNING: "released stages are at revision {target}, the others at {base}",
    RolloutState.PAUSED: "released stages are at revision {target}, the others at {base}",
    RolloutState.HALTED: "every node goes back to revision {base}",
    RolloutState.ABORTED: "every node goes back to revision {base}",
    RolloutState.KILLED: "every node goes back to revision {base}",
    RolloutState.DONE: "every node has the newest revision",
}
_STOPPED = (RolloutState.HALTED, RolloutState.ABORTED, RolloutState.KILLED)


def headline(shown: RolloutJSON) -> str:
    """The state in one line."""
    what = _STATES[shown.state].format(base=shown.base, target=shown.target)
    return f"rollout {shown.number} is {shown.state}: {what}"


def remains(shown: RolloutJSON) -> Iterator[str]:
    """What is still to be decided, a line each."""
    if shown.state is RolloutState.HELD:
        yield f"{_counted(shown.changes)} held; originmap rollout start releases them in stages"
    if shown.state in _STOPPED:
        yield f"{_counted(shown.changes + shown.later)} still in the database, but not served:"
        yield f"  originmap rollback ZONE --to {shown.base} undoes those of a zone"
        yield "  originmap rollout start releases them again in stages"
        yield "  originmap rollout finish releases the newest revision to every node"
    if shown.state in (RolloutState.RUNNING, RolloutState.PAUSED):
        for number, stage in enumerate(shown.stages, 1):
            if stage.released and stage.unheard:
                unheard = ", ".join(stage.unheard)
                yield f"no node of {unheard} reports (stage {number}: {stage.takes})"
    if shown.later and shown.state not in (*_STOPPED, RolloutState.DONE):
        yield f"{_counted(shown.later)} made after the start, and in no stage"
        yield "  originmap rollout finish releases them to every node at once"


def stages(shown: RolloutJSON) -> list[dict[str, object]]:
    """A row for each stage."""
    return [
        {
            "stage": number,
            "takes": stage.takes,
            "released": "yes" if stage.released else "no",
            "nodes": stage.nodes,
            "there": stage.there,
        }
        for number, stage in enumerate(shown.stages, 1)
    ]


def nodes(shown: RolloutJSON) -> list[dict[str, object]]:
    """A row for each node, by its stage."""
    ordered = sorted(shown.nodes, key=lambda node: (node.stage or 0, node.name))
    return [
        {
            "node": node.name,
            "colo": node.colo or "-",
            "stage": node.stage or "-",
            "may serve": "newest" if node.allowed is None else node.allowed,
            "serves": "-" if node.applied is None else node.applied,
            "last_contact": options.shown(node.last_contact),
            "problem": node.problem.partition("\n")[0],
        }
        for node in ordered
    ]


def _counted(changes: int) -> str:
    number = f"{_NO_MORE:,} or more" if changes >= _NO_MORE else f"{changes:,}"
    return f"{number} change{'s are' if changes != 1 else ' is'}"
