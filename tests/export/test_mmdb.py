"""MMDB, read by the official reader: every mapping is there, and nothing else."""

import io
from collections.abc import Mapping

import maxminddb
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain import address as addresses
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import Place
from originmap.export.formats import format_called
from originmap.export.node import Node
from tests.export.samples import FRANKFURT, NOWHERE, ORIGINS, TOKYO, VIRGINIA, export, node

FILE = format_called("mmdb").files[0]
SAID_LAST = {
    "192.0.2.1": FRANKFURT,  # by other.example, after example.com
    "192.0.2.2": FRANKFURT,
    "192.0.2.3": NOWHERE,
    "192.0.2.9": VIRGINIA,
    "192.0.2.10": VIRGINIA,
    "203.0.113.7": TOKYO,
    "2001:db8::1": TOKYO,
}


def reader(of: Node, origins: Mapping[str, Mapping[str, Place]] = ORIGINS) -> maxminddb.Reader:
    made = io.BytesIO(export(FILE, of, origins))
    return maxminddb.open_database(made, maxminddb.MODE_FD)


def test_all_mappings_agree_and_what_was_said_last_counts() -> None:
    with reader(node("SIN")) as database:
        found = {str(network[0]): record for network, record in database}
        assert {ip: (r["vendor"], r["region"]) for ip, r in found.items()} == SAID_LAST
        assert all(database.get(ip) == record for ip, record in found.items())


def test_a_record_says_where_to_fill_from() -> None:
    with reader(node("SIN")) as database:
        assert database.get("192.0.2.2") == {
            "vendor": "gcp", "region": "europe-west3", "mode": "hint",
            "primary": "FRA", "fallbacks": ["IAD"],
        }  # fmt: skip
    with reader(node("FRA")) as database:
        assert database.get("192.0.2.2") == {
            "vendor": "gcp", "region": "europe-west3", "mode": "hint", "fallbacks": [],
        }  # fmt: skip


def test_neighbours_are_not_there() -> None:
    with reader(node("SIN")) as database:
        for ip in ("192.0.2.0", "192.0.2.4", "0.0.0.0", "255.255.255.255", "2001:db8::2", "::"):
            assert database.get(ip) is None


def test_an_address_that_cannot_be_told_from_an_ipv4_one_is_left_out() -> None:
    with reader(node("SIN")) as database:
        assert database.get("::1:2") is None


def test_the_time_of_the_file_is_that_of_the_newest_mapping() -> None:
    with reader(node("SIN")) as database:
        assert database.metadata().build_epoch == 1_700_000_000
        assert database.metadata().database_type == "Originmap"


def test_without_mappings_it_is_empty_and_can_be_read() -> None:
    with reader(node("SIN"), {}) as database:
        assert database.get("192.0.2.1") is None
        assert list(database) == []


def origin(text: str) -> bool:
    try:
        addresses.parse(text)
    except InvalidAddress:
        return False
    return not text.startswith("::")


ADDRESSES = st.one_of(
    st.ip_addresses(v=4),
    st.ip_addresses(v=6),
    st.ip_addresses(network="192.0.2.0/29"),
    st.ip_addresses(network="2001:db8::/125"),
).map(str)


@given(st.dictionaries(ADDRESSES.filter(origin), st.sampled_from([VIRGINIA, TOKYO])))
def test_any_set_of_addresses_is_read_back(origins: dict[str, Place]) -> None:
    with reader(node("SIN"), {"example.com": origins}) as database:
        found = {addresses.parse(str(net[0])): r["region"] for net, r in database}
        assert found == {addresses.parse(ip): place.region for ip, place in origins.items()}
