"""The runner of console blocks: parsing a page, and comparing output."""

import pytest

from tests.real.console import agrees, steps_of

PAGE = """
<!-- file: a/b.txt -->
```text
a line
```

```console
$ echo one \\
>   two
one two
$ true
```

<!-- not run: needs a domain of your own -->
```console
$ curl https://example.net
```

<!-- stays running; ready when: test -e ready -->
```console
$ mkdir data
$ originmap serve
…
```
"""


def test_steps_are_files_commands_and_servers_in_order() -> None:
    steps = steps_of(PAGE)
    assert [(step.command, step.shown, step.ready) for step in steps[1:]] == [
        ("echo one \\\n  two", "one two\n", ""),
        ("true", "", ""),
        ("mkdir data", "", ""),
        ("originmap serve", "…\n", "test -e ready"),
    ]
    assert "a/b.txt" in steps[0].command
    assert PAGE[steps[1].start : steps[1].end] == "one two\n"


def test_an_unknown_mark_is_refused() -> None:
    with pytest.raises(AssertionError, match="not tested"):
        steps_of("<!-- not tested -->\n```console\n$ true\n```\n")


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("", ""),
        ("one  \ntwo\n", "one\ntwo\n"),
        ("first\n…\n", "first\nsecond\nthird\n"),
        ("at 2026-11-29T16:19:47Z", "at 2027-01-01T00:00:00.5Z"),
        ("x" * 40, "-" + "y" * 38 + "-"),
        ("id " + "0" * 32, "id " + "f" * 32),
    ],
)
def test_matching_outputs_are_accepted(shown: str, printed: str) -> None:
    assert agrees(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("", "error"), ("one", "two"), ("one\n", "one\ntwo\n"), ("a.c", "abc"), ("f…t", "fourth")],
)
def test_different_outputs_are_detected(shown: str, printed: str) -> None:
    assert not agrees(shown, printed)
