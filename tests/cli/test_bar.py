"""The bar: how far a run is, how fast, and how long it takes yet; on a terminal only."""

import io

from originmap.cli.bar import Bar


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time as the test wants it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_says_how_far_how_fast_and_how_long() -> None:
    clock = Clock()
    bar = Bar(Terminal(), clock, 3500)
    clock.now = 2.0
    bar.step(700)
    assert bar.line(2.0) == "[######........................] 700 of 3,500, 350 a second, 8 s left"


def test_long_times_are_told_in_minutes() -> None:
    clock = Clock()
    bar = Bar(Terminal(), clock, 1000)
    clock.now = 1.0
    bar.step(1)
    assert bar.line(1.0).endswith("1 a second, 16 min 39 s left")


def test_it_is_not_drawn_more_often_than_can_be_read_but_at_the_end() -> None:
    out, clock = Terminal(), Clock()
    bar = Bar(out, clock, 1000)
    for _ in range(999):
        clock.now += 0.001
        bar.step(1)
    assert out.getvalue().count("left") < 15
    bar.step(1)
    assert out.getvalue().endswith("1,000 a second, 0 s left") or "1,000 of 1,000" in out.getvalue()
    bar.clear()
    assert out.getvalue().endswith("\r\x1b[K")


def test_in_a_pipe_there_is_none() -> None:
    out = io.StringIO()
    bar = Bar(out, Clock(), 10)
    bar.step(10)
    bar.clear()
    assert out.getvalue() == ""
