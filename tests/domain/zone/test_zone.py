"""Names of zones."""

import pytest

from originmap.domain.errors import InvalidZoneName
from originmap.domain.zone.zone import checked_name


@pytest.mark.parametrize(
    ("name", "checked"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.Com.", "example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a.b", "a.b"),
        ("1.2.3.com", "1.2.3.com"),
        (f"{'a' * 63}.com", f"{'a' * 63}.com"),
    ],
)
def test_domain_names_are_normalized_to_lower_case(name: str, checked: str) -> None:
    assert checked_name(name) == checked


@pytest.mark.parametrize(
    "name",
    ["", "com", ".com", "a..b", "-a.com", "a-.com", "a b.com", "a_b.com", "bücher.example",
     "example.com..", f"{'a' * 64}.com", "a." * 127 + "com", "http://example.com", "*.a.com", None,
     "a\n.com", "a.com\n", "\u212a.com"],
)  # fmt: skip
def test_an_invalid_domain_name_is_refused(name: object) -> None:
    with pytest.raises(InvalidZoneName):
        checked_name(name)
