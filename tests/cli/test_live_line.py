"""A status line that is updated in place on a terminal."""

import io

from originmap.cli.output.live_line import LiveLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_line_is_replaced() -> None:
    out = Terminal()
    line = LiveLine(out)
    line.show("2 of 3, holding", " 4:12")
    line.show("2 of 3, holding", " 4:11")
    line.say("released")
    assert out.getvalue().split("\r\x1b[K") == [
        "", "2 of 3, holding 4:12", "2 of 3, holding 4:11", "released\n",
    ]  # fmt: skip


def test_without_a_terminal_a_line_is_printed_if_more_than_the_time_has_changed() -> None:
    out = io.StringIO()
    line = LiveLine(out)
    line.show("2 of 3, holding", " 4:12")
    line.show("2 of 3, holding", " 4:11")
    line.show("3 of 3, holding", " 4:10")
    line.say("released")
    assert out.getvalue() == "2 of 3, holding\n3 of 3, holding\nreleased\n"
