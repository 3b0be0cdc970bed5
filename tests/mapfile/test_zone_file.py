"""Zone files of servers and providers: addresses are read, other records are counted."""

import contextlib
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from originmap.domain.mapping import address
from originmap.mapfile.errors import MapFileError, UnusableFile, WrongSource
from originmap.mapfile.zone_file import ZoneRecords, read_zone_file

FILE = Path("a.zone")


def read(text: str, zone: str | None = None) -> ZoneRecords:
    return read_zone_file(FILE, text, zone)


def names(text: str, zone: str | None = None) -> dict[str, str]:
    return {address.text(a): " ".join(n) for a, n in read(text, zone).names.items()}


def errors(text: str, zone: str | None = None) -> list[str]:
    with pytest.raises(WrongSource) as caught:
        read(text, zone)
    return caught.value.problems


CLOUDFLARE = """\
;;
;; Domain:     example.com.
;; Exported:   2026-11-20 10:00:00
;;
;; SOA Record
example.com	3600	IN	SOA	ada.ns.cloudflare.com. dns.cloudflare.com. 1 10000 2400 604800 3600

;; NS Records
example.com.	86400	IN	NS	ada.ns.cloudflare.com.

;; A Records
example.com.	1	IN	A	192.0.2.1 ; cf_tags=cf-proxied:true
www.example.com.	1	IN	AAAA	2001:db8::1 ; a; "comment (

;; CNAME Records
shop.example.com.	1	IN	CNAME	www.example.com. ; cf_tags=cf-proxied:true
ext.example.com.	1	IN	CNAME	example.net.

;; TXT Records
example.com.	1	IN	TXT	"v=spf1 (a) ; -all" "more \\" of it"
"""

BIND = """\
$ORIGIN .
$TTL 86400	; 1 day
example.com		IN SOA	ns.example.com. hostmaster.example.com. (
				2026112001 ; serial
				1d 2h      ; refresh and retry
				4w 1h )
			NS	ns.example.com.
			A	192.0.2.1
$ORIGIN example.com.
$TTL 1w2d3h4m5s
ns			A	192.0.2.2
www		300 IN	A	192.0.2.3
		IN 300	AAAA	( 2001:db8::3
				)
*			A	192.0.2.4
_a\\.b\\032c		a	192.0.2.5
key	TXT	( "v=DKIM1; k=rsa; " ; the first part
		"p=MIIB" )
$ORIGIN sub
host			CLASS1 1h30m TYPE1 \\# 4 C0000206
@			CNAME	host
$GENERATE 1-3/2 gen$ A 192.0.2.1$
$GENERATE 1-100 ${0,3,d} PTR p$.example.com.
ch	CH	A	192.0.2.99
"""

WINDOWS = """\
;
;  Database file example.com.dns for Default zone scope in zone example.com.
;      Zone version:  12
;

@                       IN  SOA dc1.example.com. hostmaster.example.com. (
                        \t12           ; serial number
                        \t900          ; refresh
                        \t3600       ) ; default TTL

@                       0       WINS    L1 C900 ( 192.0.2.99 )
@                       [AGE:3721445]   600     A       192.0.2.1
                        600     A       192.0.2.2
dc1                     3600    A       192.0.2.3
"""

CLI53 = """\
$ORIGIN example.com.
@ 900 IN SOA ns-1.awsdns-00.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400
@ 86400 AWS ALIAS A dualstack.lb-1.us-east-1.elb.amazonaws.com. Z35SXDOTRQ7X7K false
weighted 300 IN A 192.0.2.1 ; AWS routing="WEIGHTED" weight=50 identifier="(one"
weighted 300 IN A 192.0.2.2 ; AWS routing="WEIGHTED" weight=50 identifier="two"
"""


def test_an_export_of_cloudflare_is_read() -> None:
    found = read(CLOUDFLARE)
    assert found.zone == "example.com"
    assert names(CLOUDFLARE) == names(CLOUDFLARE, "example.com") == {
        "192.0.2.1": "example.com",
        "2001:db8::1": "shop.example.com www.example.com",
    }  # fmt: skip
    assert found.skipped == [
        "skipped 4 records that are not A or AAAA: 1 CNAME, 1 NS, 1 SOA, 1 TXT"
    ]
    without = "\n".join(line for line in CLOUDFLARE.splitlines() if "Domain:" not in line)
    assert read(without) == found


def test_a_bind_file_is_read() -> None:
    found = read(BIND)
    assert found.zone == "example.com"
    assert names(BIND) == {
        "192.0.2.1": "example.com",
        "192.0.2.2": "ns.example.com",
        "192.0.2.3": "www.example.com",
        "192.0.2.4": "*.example.com",
        "192.0.2.5": r"_a\.b\032c.example.com",
        "192.0.2.6": "host.sub.example.com sub.example.com",
        "192.0.2.11": "gen1.sub.example.com",
        "192.0.2.13": "gen3.sub.example.com",
        "2001:db8::3": "www.example.com",
    }
    assert found.skipped == [
        "skipped 104 records that are not A or AAAA: 100 PTR, 1 CH A, 1 NS, 1 SOA, 1 TXT"
    ]


def test_a_windows_dns_file_is_read() -> None:
    assert read(WINDOWS).zone == "example.com"
    assert names(WINDOWS.replace("\n", "\r\n")) == {
        "192.0.2.1": "example.com",
        "192.0.2.2": "example.com",
        "192.0.2.3": "dc1.example.com",
    }
    older = WINDOWS.replace("Default zone scope in zone example.com.", "example.com zone.")
    assert read(older) == read(WINDOWS)
    assert read(WINDOWS).skipped == ["skipped 2 records that are not A or AAAA: 1 SOA, 1 WINS"]


def test_a_route_53_export_is_read() -> None:
    assert names(CLI53) == {f"192.0.2.{n}": "weighted.example.com" for n in (1, 2)}
    assert read(CLI53).skipped == ["skipped 2 records that are not A or AAAA: 1 AWS, 1 SOA"]


@pytest.mark.parametrize(
    "record",
    [
        "@ IN ALIAS lb.example.net.",
        "@ ANAME lb.example.net.",
        "x 60 IN LUA A \"ifportup(443, {'192.0.2.9'})\"",
        "x TYPE65534 \\# 5 0A1B2C3D4E",
        "x R53_ALIAS A lb.example.net.",
        "x NOTYPE-YET ( a\n b\n c )",
        'x TXT "over\ntwo lines; (with all"',
        "x TXT \\; \\( \\\"",
        "x CAA 0 issue \"letsencrypt.org; validationmethods=dns-01\"",
        "\u00fc\U0001f600" * 40 + " TXT a",
    ],
)  # fmt: skip
def test_unneeded_records_are_skipped_with_any_content(record: str) -> None:
    text = f"$ORIGIN example.com.\n{record}\nwww IN A 192.0.2.1\n"
    assert names(text) == {"192.0.2.1": "www.example.com"}
    assert read(text).skipped[0].startswith("skipped 1 record that is not A or AAAA: 1 ")


@pytest.mark.parametrize(
    "ttl", ["", "60 ", "1h ", "1w2D3h4m5s ", "IN ", "IN 60 ", "60 IN ", "1h in "]
)
def test_ttl_and_class_are_optional_and_in_any_order(ttl: str) -> None:
    assert names(f"$ORIGIN example.com.\nwww {ttl}A 192.0.2.1") == {"192.0.2.1": "www.example.com"}


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("example.com. SOA a b 1 2 3 4 5\nwww A 192.0.2.1", "example.com"),
        ("www.example.com. A 192.0.2.1\nexample.com. IN 1h SOA a b 1 2 3 4 5\n", "example.com"),
        ("$ORIGIN com.\nexample SOA a b 1 2 3 4 5\nwww.example A 192.0.2.1", "example.com"),
        ("$ORIGIN example.com\nwww A 192.0.2.1", "example.com"),
        ("$ORIGIN example.com.\n$ORIGIN www\n@ A 192.0.2.1", "example.com"),
        ("; Domain: example.com\nexample.com SOA a b 1 2 3 4 5\nwww A 192.0.2.1", "example.com"),
    ],
)
def test_the_file_names_its_zone(text: str, zone: str) -> None:
    assert read(text).zone == zone
    assert list(names(text).values()) == ["www.example.com"]


@pytest.mark.parametrize("text", ["www A 192.0.2.1", "@ SOA a b 1 2 3 4 5", "$ORIGIN .\n", ""])
def test_a_file_without_a_zone_name_needs_the_option(text: str) -> None:
    with pytest.raises(UnusableFile, match="names the zone") as caught:
        read(text)
    assert caught.value.hint == "name the zone: --zone example.com"


def test_records_outside_the_zone_and_unusable_addresses_are_counted() -> None:
    text = "www A 192.0.2.1\nb A 0.0.0.0\nc AAAA ff02::1\nx.example.net. A 192.0.2.2\n"
    assert names(text, "example.com.") == {"192.0.2.1": "www.example.com"}
    assert read(text, "example.com").skipped == [
        "skipped 2 records with addresses that an origin cannot have: 0.0.0.0, ff02::1",
        "skipped 1 record outside the zone example.com",
    ]


def test_a_cycle_of_aliases_has_no_address() -> None:
    text = "a CNAME b\nb CNAME c\nc CNAME b\nd CNAME d\ne CNAME www\nf CNAME e\nwww A 192.0.2.1\n"
    assert names(text, "x.") == {"192.0.2.1": "e.x f.x www.x"}
    assert read(text, "x").skipped == ["skipped 4 records that are not A or AAAA: 4 CNAME"]


def test_a_chain_of_aliases_can_be_long() -> None:
    text = "".join(f"a{n} CNAME a{n + 1}\n" for n in range(5000)) + "a5000 A 192.0.2.1\n"
    (found,) = read(text, "x").names.values()
    assert len(found) == 5001


def test_all_problems_of_needed_records_are_reported_with_their_line() -> None:
    text = (
        "$ORIGIN example.com.\n"
        "www A 192.0.2.256 ; a comment\n"
        "\n"
        "www AAAA (\n 192.0.2.1 )\n"
        "www A 192.0.2.1 192.0.2.2\n"
        "www A\n"
        "www AAAA fe80::1%eth0\n"
        "www 5x IN A 192.0.2.1\n"
        "www 192.0.2.1\n"
        "www\n"
        "a..b A 192.0.2.1\n"
        "www TYPE1 \\# 4 C00002\n"
        "$INCLUDE other.zone\n"
        "$FOO\n"
        "$GENERATE 5-1 a$ A 192.0.2.1\n"
        "$GENERATE 1-2 a$ A 192.0.2.x\n"
        "$GENERATE 1-4294967295 a$ A 192.0.2.1\n"
    )
    assert errors(text) == [
        "a.zone:2: not an address for an A record: '192.0.2.256'",
        "a.zone:4: not an address for an AAAA record: '192.0.2.1'",
        "a.zone:6: not an address for an A record: '192.0.2.1 192.0.2.2'",
        "a.zone:7: not an address for an A record: ''",
        "a.zone:8: not an address for an AAAA record: 'fe80::1%eth0'",
        "a.zone:9: neither a TTL, a class nor a type: '5x'",
        "a.zone:10: neither a TTL, a class nor a type: '192.0.2.1'",
        "a.zone:11: not a zone file: a record without a type: 'www'",
        "a.zone:12: not a zone file: 'a..b A 192.0.2.1': A DNS label is empty.",
        "a.zone:13: not an address for an A record: '\\\\# 4 C00002'",
        "a.zone:14: '$INCLUDE other.zone' is not supported: put all records into one file, for"
        " example by named-compilezone -o FILE ZONE INPUT",
        "a.zone:15: not a zone file: unknown or incomplete directive: '$FOO'",
        "a.zone:16: not a zone file: '$GENERATE 5-1 a$ A 192.0.2.1': start must be <= stop",
        *errors(text)[-2:],
    ]
    assert errors(text)[-2].startswith("a.zone:17: not a zone file: '$GENERATE 1-2 a$ A 192.0.2.x'")
    assert errors(text)[-1] == "a.zone:18: $GENERATE generates more than 65,536 records"


@pytest.mark.parametrize(
    ("directive", "error"),
    [
        ("1-10/0 h$ A 192.0.2.$", "the step of the range '1-10/0' is 0"),
        ("1-10/0 h$ TXT x", "the step of the range '1-10/0' is 0"),
        ("1-x h$ A 192.0.2.$", "not a range such as 1-10 or 1-10/2: '1-x'"),
        ("-1-2 h$ A 192.0.2.$", "not a range such as 1-10 or 1-10/2: '-1-2'"),
        ("1-300 h$ A 192.0.2.$", "not an address for an A record: '192.0.2.256'"),
        ("1-9 h$ A 192.0.2.$ x", "not an address for an A record: '192.0.2.1 x'"),
        ("1-2 h..$ A 192.0.2.$", "A DNS label is empty."),
        ("1-2 h${0,128} A 192.0.2.$", "wider than 127 characters: '${0,128}'"),
        ("1-2 h${0,3,q} A 192.0.2.$", "not a number such as ${0,3,d}: 'h${0,3,q}'"),
        ("1-2 h${-2,1,n} A 192.0.2.$", "a negative number has no nibbles: '${-2,1,n}' for 1"),
        ("1-2 h$ CNAME x y$", "not a host name: 'x y1'"),
    ],
)
def test_a_generate_directive_that_cannot_be_expanded_is_an_error(
    directive: str, error: str
) -> None:
    text = f"www A 192.0.2.1\n$GENERATE {directive}\n"
    assert errors(text, "x") == [f"a.zone:2: not a zone file: '$GENERATE {directive}': {error}"]


@pytest.mark.parametrize(
    ("directive", "generated"),
    [
        ("1-1 h$ A 192.0.2.$", {"192.0.2.1": "h1.x"}),
        ("9-9 h${1,3} 60 IN A 192.0.2.${-2}", {"192.0.2.7": "h010.x"}),
        ("30-30 h${0,4,x}-${0,0,X}-${0,0,o} AAAA ::$", {"::30": "h001e-1E-36.x"}),
        ("30-30 ${0,4,n}b A 192.0.2.30", {"192.0.2.30": "e.1.b.x"}),
        ("30-30 ${0,1,n}.${0,5,N} A 192.0.2.$", {"192.0.2.30": "e.1.E.1.0.x"}),
        ("1-1 a$$b\\$c A 192.0.2.9", {"192.0.2.9": r"a\$b\$c.x"}),
        ("32-32 h$ A \\# 4 c00002${0,2,x}", {"192.0.2.32": "h32.x"}),
    ],
)
def test_generate_numbers_records_as_bind_does(directive: str, generated: dict[str, str]) -> None:
    assert names(f"$GENERATE {directive}\n", "x") == generated


def test_a_generate_directive_of_another_type_can_have_any_range() -> None:
    text = "$GENERATE 1-99999999999999999999 h$ TXT x\nwww A 192.0.2.1\n"
    assert read(text, "x").skipped == [
        "skipped 99,999,999,999,999,999,999 records that are not A or AAAA:"
        " 99,999,999,999,999,999,999 TXT"
    ]
    text = "$GENERATE 1-99999999999999999999 h$ A 192.0.2.1\n"
    assert errors(text, "x") == ["a.zone:1: $GENERATE generates more than 65,536 records"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a TXT "open\nb TXT c\n', 1),
        ('a TXT "open\nwww A 192.0.2.1\nb TXT "open too\n', 1),
        ("a A 192.0.2.1\n@ SOA ( a b\n1 2\nwww A 192.0.2.1\n", 2),
        ("a A 192.0.2.1\n\nb TXT )\n", 3),
    ],
)
def test_an_unclosed_quote_or_parenthesis_is_an_error(text: str, line: int) -> None:
    (error,) = errors(text, "example.com")
    assert error.startswith(f"a.zone:{line}: not a zone file: a ")


@pytest.mark.parametrize("name", ["a..b", ".", "a b", "https://example.com"])
def test_an_invalid_zone_name_is_rejected(name: str) -> None:
    with pytest.raises(UnusableFile, match="not a zone name: ") as caught:
        read("", name)
    assert repr(name) in str(caught.value)


def test_a_zone_given_by_id_requires_the_zone_name_in_the_file() -> None:
    text = "$ORIGIN example.com.\nwww A 192.0.2.1\n"
    assert names(text, "023e105f4ecef8ad9ca31a8372d0c353") == {"192.0.2.1": "www.example.com"}


def test_the_date_line_of_rndc_dumpdb_is_ignored() -> None:
    assert names("$DATE 20261129\nwww A 192.0.2.1\n", "a.b") == {"192.0.2.1": "www.a.b"}


def test_the_negative_entries_of_rndc_dumpdb_are_skipped() -> None:
    text = (
        "; authanswer\n"
        "www.example.com. 3600 IN A 192.0.2.1\n"
        "\t\t3600 \\-AAAA ;-$NXRRSET\n"
        "; example.com. SOA ns.example.com. a.example.com. 1 2 3 4 5\n"
        "foo.example.com. 100 \\-ANY ;-$NXDOMAIN\n"
    )
    assert names(text, "example.com") == {"192.0.2.1": "www.example.com"}
    assert read(text, "example.com").skipped == [
        "skipped 2 records that are not A or AAAA: 1 \\-AAAA, 1 \\-ANY"
    ]


_WORDS = [
    *("$ORIGIN", "$TTL", "$GENERATE", "$INCLUDE", "1-2", "0-9/3", "1-2/0", "a$"),
    *("${0,1,x}", "IN", "A", "AAAA"),
    *("CNAME", "SOA", "TXT", "TYPE1", "\\#", "4", "C0000201", "192.0.2.1", "::1", "@", "www"),
    "a.b.",
    *("example.com.", "(", ")", '"', ";", "; Domain: a.b", "\\", "\\032", "\n", "\n", "\n"),
    *(" ", "\t"),
    *("1h", "[AGE:1]", "*", ".", "..", "\u00fc", "\r", "\0", "CH", "xn--a", "1-99999999999"),
]  # fmt: skip


@given(st.lists(st.sampled_from(_WORDS)).map(" ".join), st.sampled_from([None, "example.com"]))
def test_every_zone_file_is_read_or_rejected(text: str, zone: str | None) -> None:
    with contextlib.suppress(MapFileError):
        read(text, zone)
