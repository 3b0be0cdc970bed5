"""Names of zones in Unicode and in A-labels: two forms of one name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.errors import InvalidZoneName
from originmap.domain.zone.filter import name_matches
from originmap.domain.zone.name import lookup_name, may_be_zone, read_zone_name, unicode_name
from originmap.domain.zone.zone import checked_name

BUECHER = "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("sent", "ascii_", "shown"),
    [
        ("bücher.example", BUECHER, "bücher.example"),
        ("BÜCHER.Example.", BUECHER, "bücher.example"),
        ("bu\u0308cher.example", BUECHER, "bücher.example"),
        ("XN--Bcher-KVA.example", BUECHER, BUECHER),
        ("example.com", "example.com", "example.com"),
        ("r3---sn-4g5e6nz7.example", "r3---sn-4g5e6nz7.example", "r3---sn-4g5e6nz7.example"),
        ("żółw.cfapi.net", "xn--w-uga1v8h.cfapi.net", "żółw.cfapi.net"),
        ("straße.example", "xn--strae-oqa.example", "straße.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah", "例え.テスト"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai", "пример.рф"),
        ("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv", "مثال.إختبار"),
        ("www.xn--bcher-kva.ÉCOLE", "www.xn--bcher-kva.xn--cole-9oa", "www.xn--bcher-kva.école"),
    ],
)
def test_a_name_is_identified_by_its_a_labels_and_returned_as_sent(
    sent: str, ascii_: str, shown: str
) -> None:
    assert read_zone_name(sent) == (ascii_, shown)
    for form in (sent.removesuffix("."), ascii_, shown):
        assert lookup_name(form) == ascii_


@pytest.mark.parametrize(
    "name",
    [
        "i❤.ws", "xn--i-7iq.ws", "💩.la", "xn--ls8h.la",  # emoji
        "bü_cher.example", "bü cher.example", "bü\ncher.example", "bü;cher.example",
        "-ü.example", "ü-.example", "xn--.example", "xn--a.example", "xn--bcher-.example",
        "xn--abc-.example", "ab--ü.example", "\u0308a.example", "a\u200db.example",
        "\u212a.com", "büc\u212aer.example", "Ｅxample.com", "a。com", "bü．example",
        "שa.example", "ü", "ü..example", ".ü.example", "ü.example..", "\ud800.example",
        f"{'ü' * 60}.example", f"{'ü.' * 120}example", "ü" * 300, None, 7, ["ü.example"],
    ],
)  # fmt: skip
def test_what_idna_2008_refuses_is_no_name(name: object) -> None:
    with pytest.raises(InvalidZoneName):
        read_zone_name(name)


@given(st.text(max_size=30).map(lambda label: f"{label}.example"))
def test_whatever_is_a_name_has_a_safe_form_that_is_the_same_name(text: str) -> None:
    try:
        read = read_zone_name(text)
    except InvalidZoneName:
        return
    assert checked_name(read.ascii) == read.ascii
    assert read_zone_name(read.ascii).ascii == read.ascii
    assert lookup_name(read.shown) == read.ascii
    assert read_zone_name(unicode_name(read.ascii)).ascii == read.ascii


@given(st.text("abz019-é", max_size=20).map(lambda label: f"xn--{label}.example"))
def test_a_name_in_a_labels_is_one_of_a_name_in_unicode(text: str) -> None:
    try:
        read = read_zone_name(text)
    except InvalidZoneName:
        unicode_name(text)
        return
    assert read_zone_name(unicode_name(read.ascii)).ascii == read.ascii


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("bücher.example", True),
        ("BÜCHER.example", True),
        ("bu\u0308cher.example", True),
        (BUECHER, True),
        ("equal:bücher.example", True),
        (f"equal:{BUECHER}", True),
        ("not_equal:bücher.example", False),
        (f"not_equal:{BUECHER}", False),
        ("not_equal:bucher.example", True),
        ("starts_with:BÜ", True),
        ("starts_with_case_sensitive:BÜ", False),
        ("starts_with:xn--b", True),
        ("contains:üche", True),
        ("contains:bu\u0308", True),
        ("ends_with:cher.example", True),
        ("ends_with:ch.example", False),
    ],
)
@pytest.mark.proves("D-62")
def test_filters_find_a_name_by_either_form(pattern: str, found: bool) -> None:
    assert name_matches(pattern, BUECHER) is found


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        ("example.com", True),
        ("Example.COM.", True),
        ("a_b.example", True),
        ("bücher.example", True),
        ("l·l.example", True),
        ("i❤.ws", True),
        ("نامه\u200cای.example", True),
        ("023e105f4ecef8ad9ca31a8372d0c353", True),
        ("", False),
        (".", False),
        ("a..b", False),
        ("a b.example", False),
        ("example.com\n", False),
        ("\ufeffexample.com", False),
        ("“example.com”", False),
        ("https://example.com", False),
        ("example.com:443", False),
        ("*.example.com", False),
        ("a@example.com", False),
    ],
)
def test_invalid_zone_names_are_recognized(text: str, may_be: bool) -> None:
    assert may_be_zone(text) is may_be


def test_an_invalid_name_of_an_older_database_is_still_found() -> None:
    assert name_matches("xn--i-7iq.ws", "xn--i-7iq.ws")
    assert name_matches("contains:❤", "xn--i-7iq.ws")
    assert unicode_name("xn--0.example") == "xn--0.example"
