"""The page about scale shows what its command prints, and the simulation follows its model."""

from pathlib import Path

import pytest

from bench import tree
from bench.tree import ServiceTimes, simulate

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def test_the_page_shows_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench.tree", "--recorded"])
    assert tree.main() == 0
    printed = capsys.readouterr().out.strip()
    assert printed in PAGE.read_text("utf-8"), "put this into docs/scale.md:\n" + printed


def test_one_server_sends_to_its_nodes_one_after_the_other() -> None:
    spread = simulate(ServiceTimes(root=2, send=0.5, hop=100, memory=1), 100, 100, network=0)
    assert (spread.levels, spread.servers) == (0, 0)
    assert spread.last == pytest.approx(2 + 100 * 0.5)


@pytest.mark.parametrize(
    ("nodes", "width", "levels", "servers"),
    [(1_000, 10, 2, 110), (10_000, 100, 1, 100), (10_001, 100, 2, 103), (100, 1_000, 0, 0)],
)
def test_a_tree_has_as_many_servers_as_its_width_needs(
    nodes: int, width: int, levels: int, servers: int
) -> None:
    times = ServiceTimes(root=0, send=0, hop=7, memory=1)
    spread = simulate(times, nodes, width, network=0)
    assert (spread.levels, spread.servers) == (levels, servers)
    assert spread.last == spread.median == 7 * levels
