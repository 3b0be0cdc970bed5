"""The page and the plot about performance show the recorded runs."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from bench import plot
from bench.report import history


def test_the_page_shows_the_newest_complete_run() -> None:
    runs = history.read_runs()
    newest = history.newest_complete(runs)
    assert all(run["date"] <= newest["date"] for run in runs if run["complete"])
    assert history.PAGE.read_text("utf-8") == history.page(newest)
    assert len(re.findall("^## ", history.PAGE.read_text("utf-8"), re.MULTILINE)) == 1


def test_runs_are_in_chronological_order_and_have_their_cases() -> None:
    runs = history.read_runs()
    assert [run["date"] for run in runs] == sorted(run["date"] for run in runs)
    for run in runs:
        assert run.keys() - {"void"} == history.Run.__required_keys__ - {"void"}
        assert run["cases"], run["date"]
        for goal in run["goals"]:
            within = goal["reached"] <= goal["bound"]
            if goal["reached"] != goal["bound"]:
                assert goal["met"] == (within if goal["at_most"] else not within), goal


def test_the_plot_has_every_ratio_of_every_run() -> None:
    runs = history.read_runs()
    image = ElementTree.fromstring(plot.IMAGE.read_text("utf-8"))
    reached = [goal for run in runs for goal in run["goals"] if goal["unit"] == "x"]
    assert len(image.findall("{*}circle")) == len(reached)
    titles = {text.text for text in image.findall("{*}text")}
    assert {goal["goal"] for goal in reached} <= titles
    assert plot.IMAGE.read_text("utf-8") == plot.draw(runs), "run: make bench-plot"


def test_an_incomplete_run_does_not_change_the_page(tmp_path: Path) -> None:
    newest = history.newest_complete(history.read_runs())
    file, page = tmp_path / "history.jsonl", tmp_path / "performance.md"
    history.add_run({**newest, "complete": False}, file, page)
    assert not page.exists()
    history.add_run({**newest, "void": ["a run that failed"]}, file, page)
    assert "a run that failed" in page.read_text("utf-8")
    assert [run["complete"] for run in history.read_runs(file)] == [False, True]


def test_the_benchmark_can_be_loaded() -> None:
    """It uses modules of the program that no other test checks for it."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "--record" in done.stdout
