"""Commands that update a running map; tests/caches has the tests with a real HAProxy."""

from pathlib import Path

import pytest

from originmap.edge.errors import RuntimeRefused
from originmap.edge.haproxy_runtime import HAProxyMap, commands, entries_of, lines_of


def test_only_entries_that_differ_are_changed() -> None:
    running = [("same", "a"), ("moved", "a"), ("gone", "a")]
    wanted = {"same": "a", "moved": "b", "new": "c"}
    assert commands("M", running, wanted) == [
        "set map M moved b",
        "del map M gone",
        "add map M new c",
    ]


def test_a_duplicate_entry_is_replaced_by_one() -> None:
    running = entries_of(["key a", "key a"])
    assert commands("M", running, {"key": "a"}) == ["del map M key;add map M key a"]


def test_commands_are_joined_into_lines_that_haproxy_accepts() -> None:
    needed = [f"set map M {n} {'v' * 70}" for n in range(1000)]
    lines = list(lines_of(needed))
    assert ";".join(lines).split(";") == needed
    assert max(map(len, lines)) < 8_200
    assert len(lines) < 20


def test_blank_lines_are_not_entries() -> None:
    assert list(entries_of(["", "key   value ", "  "])) == [("key", "value")]


def test_without_a_socket_the_hint_names_the_haproxy_setting(tmp_path: Path) -> None:
    (tmp_path / "map").write_text("key value\n")
    with pytest.raises(RuntimeRefused, match="cannot connect to HAProxy") as refused:
        HAProxyMap(tmp_path / "socket", tmp_path / "map").update()
    assert "stats socket" in refused.value.hint
