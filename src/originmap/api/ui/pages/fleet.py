"""The fleet: /ui/fleet, what each follower serves, and the steps of the rollout."""

from collections import Counter
from typing import Any, NamedTuple

from originmap.api.http.response import Response
from originmap.api.timestamps import parse_timestamp
from originmap.api.ui.inner import InnerRefused
from originmap.api.ui.visit import Visit
from originmap.domain.rollout.rollout import RolloutState, steps_from
from originmap.service.feed.followers import SILENT_SECONDS

_FOLLOWERS, _ROLLOUT = "/originmap/v1/followers", "/originmap/v1/rollout"
_NOW = "/originmap/v1/changes?limit=1"  # its answer has the newest revision
MOST_ROWS = 500
"""Followers in the table; those with a problem come first."""

KINDS = ("problem", "silent", "behind", "held", "up to date")
"""How a follower can be, the worst first. One that is held serves what the rollout allows."""
_TEXTS = {"start": ("stages",), "pause": ("why",), "abort": ("why",)}
_NUMBERS = {
    "hold": ("number", "base"),
    "start": ("number", "base"),
    "advance": ("number", "stage"),
    "finish": ("number", "revision"),
}


class FleetTable(NamedTuple):
    """The first MOST_ROWS of the `matching` followers, and the numbers of all of each kind."""

    rows: list["FollowerRow"]
    matching: int
    counts: dict[str, int]


class FollowerRow(NamedTuple):
    """A follower; `applied` is the revision that its cache serves, `allowed` the one that the
    rollout allows it, None for the newest."""

    name: str
    colo: str
    serves: str
    client: str
    revision: int
    applied: int | None
    allowed: int | None
    stage: int | None
    lag: int
    last_contact: str
    silent: bool
    problem: str

    @property
    def kind(self) -> str:
        """How it is: one of KINDS."""
        if self.problem:
            return "problem"
        if self.silent:
            return "silent"
        if not self.lag:
            return "up to date"
        return "held" if self.allowed is not None and self.applied == self.allowed else "behind"


async def show_fleet(visit: Visit) -> Response:
    """GET /ui/fleet; `q` is a part of a name or colo."""
    return await _page(visit)


async def take_step(visit: Visit) -> Response:
    """POST /ui/fleet/rollout: take a `step` of the rollout."""
    step = visit.field("step")
    body: dict[str, object] = {"step": step}
    body |= {name: visit.field(name) for name in _TEXTS.get(step, ())}
    numbers = _NUMBERS.get(step, ("number",))
    for name in numbers:
        text = visit.field(name)
        if text and not (text.isascii() and text.isdigit() and len(text) < 20):
            return await _page(visit, 400, [f"{name} {text!r}: write a number."])
        if text:
            body[name] = int(text)
    try:
        result = (await visit.send("POST", _ROLLOUT, body)).result
    except InnerRefused as refused:
        return await _page(visit, refused.status, refused.problems)
    return visit.see("/ui/fleet", f"The rollout is {result['state']}.")


async def _page(visit: Visit, status: int = 200, problems: list[str] | None = None) -> Response:
    wanted = visit.query.get("q", "").strip()
    followers = await visit.get(_FOLLOWERS)
    rollout = await visit.get(_ROLLOUT)
    revision = (await visit.get(_NOW))["revision"]
    nodes = rollout["nodes"] if rollout else []
    table = await visit.on_thread(_table, followers, nodes, wanted, visit.now)
    return await visit.page(
        "fleet.html",
        status,
        problems,
        wanted=wanted,
        rows=table.rows,
        matching=table.matching,
        total=len(followers),
        counts=table.counts,
        rollout=rollout,
        revision=revision,
        steps=steps_from(RolloutState(rollout["state"]) if rollout else None),
    )


def _table(
    followers: list[dict[str, Any]], nodes: list[dict[str, Any]], wanted: str, now: int
) -> FleetTable:
    by_name = {node["name"]: node for node in nodes}
    rows = [_row(each, by_name.get(each["name"], {}), now) for each in followers]
    matching = [row for row in rows if wanted.lower() in f"{row.name} {row.colo}".lower()]
    matching.sort(key=lambda row: (KINDS.index(row.kind), row.name))
    counts = Counter(row.kind for row in rows)
    shown = {kind: counts[kind] for kind in KINDS if counts[kind]}
    return FleetTable(matching[:MOST_ROWS], len(matching), shown)


def _row(follower: dict[str, Any], node: dict[str, Any], now: int) -> FollowerRow:
    contact = follower["last_contact"]
    silent_seconds = (now - parse_timestamp(contact)) / 1e6
    return FollowerRow(
        follower["name"],
        follower["colo"],
        follower["serves"],
        follower["client"],
        follower["revision"],
        follower["applied"],
        node.get("allowed"),
        node.get("stage"),
        follower["lag"],
        contact,
        silent_seconds >= SILENT_SECONDS,
        follower["problem"],
    )
