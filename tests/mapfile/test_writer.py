"""Written mappings can be read again, and equal mappings give equal bytes."""

import io
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from originmap import data
from originmap.domain.mapping.mapping import Place
from originmap.domain.zone.pool import Pool
from originmap.mapfile import reader
from originmap.mapfile.writer import WRITERS, ZoneState
from tests.builders import CENTRAL, US_EAST, ip
from tests.planning.states import states

# Without blanks around the text, because CSV cells are stripped.
comments = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip)


def written(form: str, *zones: ZoneState) -> str:
    out = io.StringIO()
    WRITERS[form](zones, out)
    return out.getvalue()


@pytest.mark.parametrize("form", WRITERS)
@given(states, states, st.data())
def test_written_mappings_can_be_read_again(form, one, other, data_) -> None:
    noted = {a: data_.draw(comments) for a in list(one)[:3]}
    zones = [ZoneState("example.com", one, noted), ZoneState("0" * 32, other)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"mappings.{form}"
        file.write_text(written(form, *zones), "utf-8")
        document = reader.read(file, data.catalogue())
    for zone in zones:
        origins = document.zones[zone.zone].origins if zone.zone in document.zones else {}
        assert {a: w.place for a, w in origins.items()} == zone.mappings
    if one:
        found = document.zones["example.com"].origins
        assert {a: w.comment for a, w in found.items() if w.comment} == {
            a: text for a, text in noted.items() if text
        }


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_comment_with_any_characters_can_be_read_again(form: str, tmp_path: Path) -> None:
    comment = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000), 0x1FFFE, 0x10FFFF]))
    file = tmp_path / f"mappings.{form}"
    zone = ZoneState("example.com", {ip("192.0.2.1"): US_EAST}, {ip("192.0.2.1"): comment})
    file.write_bytes(written(form, zone).encode())
    (found,) = reader.read(file, data.catalogue()).zones["example.com"].origins.values()
    assert found.comment == comment


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_the_name_null_and_comments_like_it_can_be_read_again(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"mappings.{form}"
    mappings = {ip("192.0.2.1"): Place("null", "null"), ip("192.0.2.2"): US_EAST}
    comments = {ip("192.0.2.1"): "null", ip("192.0.2.2"): "~"}
    pools = (Pool("null", ("192.0.2.1", "192.0.2.2")),)
    file.write_text(written(form, ZoneState("example.com", mappings, comments, pools)))
    zone = reader.read(file, None).zones["example.com"]
    assert {a: w.place for a, w in zone.origins.items()} == mappings
    assert {a: w.comment for a, w in zone.origins.items()} == comments
    assert list(zone.pools or {}) == ["null"]


@pytest.mark.parametrize("form", WRITERS)
@given(states)
def test_equal_mappings_give_equal_bytes(form, state) -> None:
    shuffled = dict(reversed(state.items()))
    zone = "example.com"
    assert written(form, ZoneState(zone, state)) == written(form, ZoneState(zone, shuffled))


def test_pools_are_written_after_the_mappings() -> None:
    pools = (Pool("web", ("192.0.2.1", "2001:db8::1")),)
    zone = ZoneState("example.com", {ip("192.0.2.1"): US_EAST}, pools=pools)
    assert written("yaml", zone) == (
        "zones:\n"
        "  example.com:\n"
        "    mappings:\n"
        "      192.0.2.1: aws/us-east-1\n"
        "    pools:\n"
        "      - name: web\n"
        '        members: [192.0.2.1, "2001:db8::1"]\n'
    )


def test_yaml_has_a_line_for_each_mapping() -> None:
    state = {ip("2001:db8::1"): CENTRAL, ip("192.0.2.1"): US_EAST}
    zone = ZoneState("example.com", state, {ip("192.0.2.1"): 'the "old" one'})
    assert written("yaml", zone, ZoneState("example.org", {})) == (
        "zones:\n"
        "  example.com:\n"
        "    mappings:\n"
        '      192.0.2.1: {vendor: aws, region: us-east-1, comment: "the \\"old\\" one"}\n'
        '      "2001:db8::1": gcp/us-central1\n'
        "  example.org:\n"
        "    mappings: {}\n"
    )


@pytest.mark.parametrize("form", WRITERS)
def test_an_empty_file_can_be_written(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"mappings.{form}"
    file.write_text(written(form))
    assert reader.read(file, data.catalogue()).zones == {}
