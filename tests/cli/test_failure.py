"""Errors that a command prints."""

import pytest

from originmap.cli.failure import print_failure, print_wait
from originmap.domain.errors import OriginmapError


def test_control_characters_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    error = OriginmapError("first\nsecond\x1b]0;title\x07\r")
    error.hint = "a\x9bhint"
    print_failure(error)
    print_wait(5, "the server said \x1b[31m")
    printed = capsys.readouterr().err
    assert printed.splitlines()[:2] == ["originmap: first", "second ]0;title  "]
    assert all(line.isprintable() for line in printed.split("\n"))
