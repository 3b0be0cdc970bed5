"""The packaged topology: the hubs that serve as upper tiers until the operator says otherwise."""

from originmap.data import hubs


def test_there_are_75_hubs_sorted_by_code() -> None:
    codes = [hub.code for hub in hubs()]
    assert len(codes) == len(set(codes)) == 75
    assert codes == sorted(codes)


def test_every_hub_is_named_by_an_iata_code_and_has_a_city() -> None:
    for hub in hubs():
        assert len(hub.code) == 3, hub
        assert hub.code.isascii(), hub
        assert hub.code.isalpha(), hub
        assert hub.code.isupper(), hub
        assert hub.city, hub


def test_every_inhabited_continent_has_hubs() -> None:
    """One metro each, so that a region added anywhere finds a colo in its own part of the world."""
    codes = {hub.code for hub in hubs()}
    assert {"JNB", "NBO", "LOS", "SIN", "FRA", "DXB", "SYD", "PER", "IAD", "MIA", "GRU"} <= codes
