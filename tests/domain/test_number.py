"""Numbers in text: one form that is checked, and the number of that form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.number import decimal, port, shown, whole

NO_NUMBERS = [
    "", " 5", "5 ", "+5", "-5", "1_000", "0x5", "1e3", "nan", "inf", "-inf", "Infinity", "٥", "５",
    "²", "½", "5\n", "5,0", "5.", ".5", "9" * 5_000, "0" * 5_000 + "5", "1" * 17,
]  # fmt: skip


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_an_invalid_number_is_refused(text: str) -> None:
    assert whole(text, 0, 10**16) is None
    assert decimal(text, 0, 10**16) is None
    assert port(text) is None


@given(st.integers(0, 10**16 - 1), st.integers(0, 10**16), st.integers(0, 10**16))
def test_a_whole_number_is_accepted_only_within_its_range(n: int, one: int, other: int) -> None:
    least, most = sorted((one, other))
    assert whole(str(n), least, most) == (n if least <= n <= most else None)


@given(st.text(max_size=30))
def test_accepted_numbers_are_within_their_range(text: str) -> None:
    for found in (whole(text, 3, 70), decimal(text, 3, 70)):
        assert found is None or 3 <= found <= 70


def test_leading_zeros_count_with_the_number_that_they_lead() -> None:
    assert whole("0070", 0, 60) is None
    assert whole("0000000000000000070", 0, 60) is None
    assert whole("0060", 0, 60) == 60


@pytest.mark.parametrize(
    ("text", "found"),
    [("1", 1), ("00080", 80), ("65535", 65_535), ("0", None), ("65536", None), ("000080", None)],
)
def test_a_port_has_at_most_five_digits(text: str, found: int | None) -> None:
    assert port(text) == found


def test_a_decimal_number_is_accepted() -> None:
    assert decimal("0.25", 0, 1) == 0.25
    assert decimal("1.01", 0, 1) is None
    assert decimal("5", 0, 5) == 5.0


def test_input_is_quoted_in_one_short_line() -> None:
    assert shown("1_000") == "'1_000'"
    assert shown("9" * 5_000) == f"'{'9' * 40}'… (5000 characters)"
    assert "\n" not in shown("5\n5")
