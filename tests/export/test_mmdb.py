"""MMDB with the official reader: every mapping is found, and nothing else."""

import io
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import maxminddb
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import Place
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


def test_every_mapping_is_found_and_the_latest_change_counts() -> None:
    with reader(node("SIN")) as database:
        found = {str(network[0]): record for network, record in database}
        assert {ip: (r["vendor"], r["region"]) for ip, r in found.items()} == SAID_LAST
        assert all(database.get(ip) == record for ip, record in found.items())


def test_a_record_has_mode_primary_and_fallbacks() -> None:
    with reader(node("SIN")) as database:
        assert database.get("192.0.2.2") == {
            "vendor": "gcp", "region": "europe-west3", "mode": "hint",
            "primary": "FRA", "fallbacks": ["IAD"],
        }  # fmt: skip
    with reader(node("FRA")) as database:
        assert database.get("192.0.2.2") == {
            "vendor": "gcp", "region": "europe-west3", "mode": "hint", "fallbacks": [],
        }  # fmt: skip


def test_neighbouring_addresses_are_not_found() -> None:
    with reader(node("SIN")) as database:
        for ip in ("192.0.2.0", "192.0.2.4", "0.0.0.0", "255.255.255.255", "2001:db8::2", "::"):
            assert database.get(ip) is None


def test_an_ipv6_address_equal_to_an_ipv4_one_is_left_out() -> None:
    with reader(node("SIN")) as database:
        assert database.get("::1:2") is None


def test_the_build_time_is_the_time_of_the_newest_mapping() -> None:
    with reader(node("SIN")) as database:
        assert database.metadata().build_epoch == 1_700_000_000
        assert database.metadata().database_type == "Originmap"


def test_a_database_without_mappings_can_be_read() -> None:
    with reader(node("SIN"), {}) as database:
        assert database.get("192.0.2.1") is None
        assert list(database) == []


def standing_for(ip: IPv4Address) -> list[IPv6Address]:
    """IPv6 aliases of an IPv4 address: mapped, 6to4 with two suffixes, Teredo."""
    number = int(ip)
    mapped, six_to_four = (0xFFFF << 32) | number, (0x2002 << 112) | number << 80
    teredo = (0x2001 << 112) | number << 64
    return [IPv6Address(n) for n in (mapped, six_to_four, six_to_four | 0xBEEF, teredo | 1)]


def inside(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address of an IPv6 alias."""
    assert isinstance(ip, IPv6Address)
    teredo = IPv4Address(int(ip) >> 64 & 0xFFFFFFFF) if int(ip) >> 96 == 0x2001 << 16 else None
    return ip.ipv4_mapped or ip.sixtofour or teredo


def test_aliases_of_ipv4_addresses_are_found() -> None:
    with reader(node("SIN")) as database:
        virginia = database.get("192.0.2.9")
        aliases = ("::ffff:192.0.2.9", "2002:c000:209::1", "2001:0:c000:209::1", "::192.0.2.9")
        assert [database.get(ip) for ip in aliases] == [virginia] * 4
        others = ("::ffff:192.0.2.8", "2002:c000:208::1", "2001:0:c000:208::1", "2001:1::1")
        assert [database.get(ip) for ip in others] == [None] * 4
        assert len([net for net, _ in database if net.version == 4]) == 6


def test_the_c_reader_finds_the_same_records(tmp_path: Path) -> None:
    origins = {"192.0.2.9": VIRGINIA, "2002:c000:209::1": TOKYO}
    file = tmp_path / "originmap.mmdb"
    file.write_bytes(export(FILE, node("SIN"), {"example.com": origins}))
    with maxminddb.open_database(file, maxminddb.MODE_MMAP_EXT) as database:
        aliases = ("::ffff:192.0.2.9", "2002:c000:209::2", "2001:0:c000:209::1", "2002:c000:209::1")
        regions = [database.get(ip)["region"] for ip in aliases]
        assert regions == [VIRGINIA.region] * 3 + [TOKYO.region]
        assert ip_network("192.0.2.9/32") in [net for net, _ in database]


def test_an_origin_on_an_alias_address_keeps_its_own_record() -> None:
    origins = {"192.0.2.9": VIRGINIA, "192.0.2.1": VIRGINIA, "2002:c000:209::1": TOKYO}
    with reader(node("SIN"), {"example.com": origins}) as database:
        regions = {ip: database.get(ip)["region"] for ip in origins}
        assert regions == {ip: place.region for ip, place in origins.items()}
        for ip in ("2002:c000:209::2", "2002:c000:209::", "2002:c000:201::1", "::ffff:c000:209"):
            assert database.get(ip)["region"] == VIRGINIA.region
        assert database.get("2002:c000:20a::1") is None


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
    st.ip_addresses(network="2002:c000:200::/45"),  # 6to4 of 192.0.2.0/29
    st.ip_addresses(network="2002:c000:201::/125"),
    st.ip_addresses(network="2001:0:c000:200::/61"),  # Teredo of the same
).map(str)


@given(st.dictionaries(ADDRESSES.filter(origin), st.sampled_from([VIRGINIA, TOKYO])))
def test_any_set_of_addresses_is_read_back(origins: dict[str, Place]) -> None:
    with reader(node("SIN"), {"example.com": origins}) as database:
        wanted = {ip_address(ip): place.region for ip, place in origins.items()}
        found = {net[0]: (net, r["region"]) for net, r in database}
        assert {ip: found[ip][1] for ip in wanted} == wanted
        for ip, (net, region) in found.items():
            # All other records are aliases of IPv4 addresses.
            assert ip in wanted or {wanted.get(inside(end)) for end in (ip, net[-1])} == {region}
        for ip in [ip for ip in wanted if ip.version == 4]:
            for other in standing_for(ip):
                assert database.get(other)["region"] == wanted.get(other, wanted[ip])
