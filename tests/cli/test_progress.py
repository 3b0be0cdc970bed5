"""Progress is shown on a terminal after two seconds, and erased at the end."""

import io

from originmap.cli.output.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(out: io.StringIO, items: int, seconds_an_item: float) -> None:
    time = [100.0]
    progress = Progress(out, lambda: time[0])
    for _ in range(items):
        time[0] += seconds_an_item
        progress.step()
    progress.clear()
    progress.clear()


def test_a_long_run_shows_its_progress() -> None:
    out = Terminal()
    run(out, 30_000, 0.0001)
    shown = out.getvalue().split("\r\x1b[K")
    assert shown[0] == ""
    assert shown[1] == "20,000 done, 10,000 a second"
    assert shown[-2:] == ["30,000 done, 10,000 a second", ""]
    assert len(shown) == 8


def test_items_can_be_counted_in_portions() -> None:
    out, time = Terminal(), [100.0]
    progress = Progress(out, lambda: time[0])
    for _ in range(4):
        time[0] += 1
        progress.step(700)
    assert out.getvalue().endswith("\r\x1b[K2,800 done, 700 a second")


def test_a_short_run_prints_no_progress() -> None:
    out = Terminal()
    run(out, 19_000, 0.0001)
    assert out.getvalue() == ""


def test_without_a_terminal_nothing_is_printed() -> None:
    out = io.StringIO()
    run(out, 30_000, 0.01)
    assert out.getvalue() == ""
