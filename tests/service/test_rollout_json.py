"""The JSON of a rollout."""

from originmap.domain.rollout.rollout import Rollout, RolloutState
from originmap.service.feed.followers import FollowerStatus
from originmap.service.rollout.rollout_json import Counts, rollout_json

RUNNING = Rollout(1, RolloutState.RUNNING, 5, 7, ("SIN", "100%"), 1)


def node(name: str, token: str, at: int, applied: int | None, colo: str = "SIN") -> FollowerStatus:
    return FollowerStatus(name, token, "192.0.2.9", 7, at, "nginx", applied, "", colo)


def test_a_node_with_a_new_token_is_the_same_node() -> None:
    followers = [
        node("sin-1", "new token", 30, 7),
        node("sin-1", "old token", 20, 5),
        node("sin-2", "new token", 25, 5),
        node("sin-2", "a replica's token", 30, None, ""),
    ]
    shown = rollout_json(RUNNING, Counts(7, 1, 0, 100.0), followers, 40)
    assert [(n.name, n.applied) for n in shown.nodes] == [("sin-1", 7), ("sin-2", 5)]
    assert (shown.stages[0].nodes, shown.stages[0].there) == (2, 1)


def test_a_stage_lists_the_colos_and_shares_without_nodes() -> None:
    late = 200_000_000
    rollout = Rollout(1, RolloutState.RUNNING, 5, 7, ("SIN+FRA", "IAD", "0.01%", "100%"), 1)
    followers = [node("sin-1", "token", late, 7), node("iad-1", "token", 0, 5, "IAD")]
    shown = rollout_json(rollout, Counts(7, 1, 0, 100.0), followers, late)
    assert [stage.unheard for stage in shown.stages] == [["FRA"], ["IAD"], ["0.01%"], []]
    assert [(stage.nodes, stage.there) for stage in shown.stages] == [
        (1, 1),
        (1, 0),
        (0, 0),
        (0, 0),
    ]
