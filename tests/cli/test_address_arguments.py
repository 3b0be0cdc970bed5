"""The input of a command: lines of any length, addresses, and hostnames."""

import io
import socket

import pytest

from originmap.cli import address_arguments
from originmap.cli.address_arguments import Unusable
from originmap.domain.mapping import address
from tests.builders import ip


def lines(data: bytes) -> list[tuple[int, str]]:
    return list(address_arguments.lines(io.BytesIO(data)))


def of(text: str, *found: str) -> tuple[str | None, list[str]]:
    name, addresses = address_arguments.addresses(text, lambda _: list(found))
    return name, [address.text(each) for each in addresses]


def refusal(text: str, *found: str) -> str:
    with pytest.raises(Unusable) as caught:
        of(text, *found)
    return str(caught.value)


def test_lines_are_numbered_and_blank_ones_are_skipped() -> None:
    assert lines(b"192.0.2.1\r\n\n  \n\t192.0.2.2 \n192.0.2.3") == [
        (1, "192.0.2.1"),
        (4, "192.0.2.2"),
        (5, "192.0.2.3"),
    ]


def test_a_file_with_windows_line_ends_is_read_line_by_line() -> None:
    text = "\ufeff192.0.2.1\r\nb\u00fccher.example\r\n"
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert lines(text.encode(encoding)) == [(1, "192.0.2.1"), (2, "b\u00fccher.example")]
    assert lines(b"\xff\xfea\0\n\0b") == [(1, "a"), (2, "\\x62")]


def test_an_empty_file_has_no_lines() -> None:
    assert lines(b"") == lines(b"\n\n") == []


@pytest.mark.parametrize("length", [1022, 1023, 1024, 1025, 2048, 5_000_000])
def test_an_overlong_line_is_cut_and_the_next_one_is_complete(length: int) -> None:
    found = lines(b"x" * length + b"\n192.0.2.1\n")
    assert found == [(1, "x" * min(length, 1024)), (2, "192.0.2.1")]


def test_a_last_line_without_a_line_end_is_read() -> None:
    assert lines(b"x" * 1024) == [(1, "x" * 1024)]


def test_bytes_that_are_not_text_are_printed_escaped() -> None:
    assert lines(b"\xff\n") == [(1, "\\xff")]


@pytest.mark.parametrize("text", ["192.0.2.1", "::ffff:192.0.2.1"])
def test_an_address_needs_no_lookup(text: str) -> None:
    def nobody(name: str) -> list[str]:
        raise AssertionError(name)

    assert address_arguments.addresses(text, nobody) == (None, [ip("192.0.2.1")])


def test_a_name_is_resolved_to_each_address_once() -> None:
    found = ("192.0.2.1", "2001:db8::1", "192.0.2.1", "fe80::1%eth0", "0.0.0.0")
    assert of("www.example.com.", *found) == ("www.example.com.", ["192.0.2.1", "2001:db8::1"])


@pytest.mark.parametrize(
    "text",
    ["192.0.2.256", "192.0.2.0/24", "0x7f.1", "0x7f000001", "127.1", "1", "a b", "-a.", "a..b",
     "http://example.com", "example.com:80", "exämple.com", "x" * 64, "a." * 130, "::x", "."],
)  # fmt: skip
def test_other_values_are_refused(text: str) -> None:
    assert refusal(text, "192.0.2.1").startswith("not an origin IP address, and no host name: ")


def test_an_unresolvable_name_is_reported() -> None:
    def nowhere(name: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Unusable) as caught:
        address_arguments.addresses("example.invalid", nowhere)
    assert str(caught.value) == "cannot resolve example.invalid: Name or service not known"
    assert refusal("example.com", "0.0.0.0") == "example.com has no address that an origin can have"


def test_localhost_resolves_to_itself() -> None:
    name, found = address_arguments.addresses("localhost", address_arguments.resolve)
    assert name == "localhost"
    assert {address.text(each) for each in found} <= {"127.0.0.1", "::1"}
