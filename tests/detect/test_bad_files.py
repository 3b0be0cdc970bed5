"""Errors of bad files name the file and the reason; the stored files stay."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.detect import reader
from originmap.detect.content import MAX_BYTES, Content, read_file
from originmap.detect.errors import DamagedRanges
from originmap.domain.detection.ranges import Publication
from tests.detect.samples import AWS, AZURE, GCP, MODIFIED, OCI, content, document, kept_in

NO_LIST = "it is not a range file of a vendor in docs/detection.md"


def refusal(data: Any) -> str:
    with pytest.raises(DamagedRanges) as caught:
        reader.read(content(data, "given.json"))
    assert caught.value.file == "given.json"
    assert str(caught.value) == f"given.json: {caught.value.reason}"
    return caught.value.reason


def changed(path: Path, change: Callable[[Any], object]) -> Any:
    made = document(path)
    change(made)
    return made


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"prefixes": []},
        {"syncToken": "1", "prefixes": [], "ipv6_prefixes": []},
        {"regions": []},
        {"values": [], "cloud": "Public"},
        json.loads('{"version": "https://jsonfeed.org", "items": []}'),
    ],
)
def test_a_file_that_is_not_a_range_file_is_rejected(data: Any) -> None:
    assert refusal(data) == NO_LIST


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b" \r\n", "it is empty"),
        (b"{", "Input data was truncated"),
        (b"<!DOCTYPE html><title>Sign in</title>", "it is a web page, not JSON"),
        (b"[1, 2]", "Expected `object`, got `array`"),
        (AWS.read_bytes().replace(b"EC2", b"\xffC2"), "can't decode byte 0xff"),
        (b"\xef\xbb\xbf{}", "JSON is malformed"),
        (b"[" * 100_000, "Expected `object`"),
        (b'{"a":' + b"[" * 100_000, "nested too deeply"),
        (b"\0" * 1000, "JSON is malformed"),
    ],
)
def test_invalid_json_is_rejected(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


@pytest.mark.parametrize("path", [AWS, AZURE, GCP, OCI], ids=lambda path: path.name)
def test_a_file_truncated_at_any_byte_is_rejected(path: Path) -> None:
    whole = path.read_bytes().rstrip()
    for length in range(0, len(whole), 7):
        with pytest.raises(DamagedRanges):
            reader.read(content(whole[:length]))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (changed(AWS, lambda d: d["prefixes"][3].pop("region")), "`region` - at `$.prefixes[3]`"),
        (changed(AWS, lambda d: d["prefixes"][3].update(region=5)), "$.prefixes[3].region"),
        (changed(AWS, lambda d: d.update(prefixes={})), "Expected `array`, got `object`"),
        (changed(AWS, lambda d: d.update(createDate="yesterday")), "'yesterday' does not match"),
        (changed(AWS, lambda d: d.update(prefixes=[], ipv6_prefixes=[])), "it has no prefixes"),
        (
            changed(AWS, lambda d: d["prefixes"][0].update(region="\x1b[2J")),
            "$.prefixes[0].region",
        ),
        (changed(AWS, lambda d: d["prefixes"][0].update(ip_prefix="192.0.2.1/24")), "192.0.2.0/24"),
        (
            changed(AWS, lambda d: d["prefixes"][0].update(ip_prefix="192.0.2.0")),
            "needs a prefix length",
        ),
        (changed(AWS, lambda d: d["prefixes"][0].update(ip_prefix="0.0.0.0/0")), "is not a prefix"),
        (changed(AWS, lambda d: d["prefixes"][0].update(ip_prefix="128.0.0.0/1")), "is too large"),
        (
            changed(AWS, lambda d: d["prefixes"][6].update(region="eu-west-1")),
            "192.0.2.0/25 of aws in eu-west-1 contradicts 192.0.2.0/25 of aws in us-west-2",
        ),
        (changed(GCP, lambda d: d["prefixes"][0].pop("scope")), "`scope` - at `$.prefixes[0]`"),
        (changed(GCP, lambda d: d["prefixes"][0].pop("ipv4Prefix")), "'' is not a prefix"),
        (changed(GCP, lambda d: d.update(syncToken="soon")), "$.syncToken"),
        (changed(OCI, lambda d: d.update(last_updated_timestamp="2026-13-01")), "month"),
        (
            changed(OCI, lambda d: d["regions"][0]["cidrs"][0].update(tags="OCI")),
            "Expected `array`",
        ),
        (changed(AZURE, lambda d: d.update(cloud="AzureGovernment")), "'AzureGovernment'; only"),
        (
            changed(AZURE, lambda d: d["values"][3]["properties"].update(addressPrefixes=[None])),
            "$.values[3].properties.addressPrefixes[0]",
        ),
    ],
)
def test_the_error_names_the_invalid_member(data: Any, reason: str) -> None:
    assert reason in refusal(data)


def test_two_regions_of_azure_cannot_have_one_prefix() -> None:
    data = document(AZURE)
    other = json.loads(json.dumps(data["values"][3]))
    other["name"], other["properties"]["region"] = "AzureCloud.westus", "westus"
    data["values"].append(other)
    assert "198.19.0.0/18 of azure in westus contradicts" in refusal(data)


@given(st.binary(max_size=400))
def test_random_bytes_raise_only_the_documented_error(data: bytes) -> None:
    with pytest.raises(DamagedRanges):
        reader.read(Content("x", data, MODIFIED))


@given(st.sampled_from([AWS, AZURE, GCP, OCI]), st.data())
def test_a_changed_byte_raises_only_the_documented_error(path: Path, data: st.DataObject) -> None:
    whole = bytearray(path.read_bytes())
    where = data.draw(st.integers(0, len(whole) - 1))
    whole[where] = data.draw(st.integers(0, 255))
    try:
        read = reader.read(Content("x", bytes(whole), MODIFIED))
    except DamagedRanges:
        return
    assert isinstance(read, Publication)


def test_damaged_gzip_is_rejected(tmp_path: Path) -> None:
    packed = gzip.compress(AWS.read_bytes())
    for damaged in (packed[:-9], packed[:100], packed[:2], packed[:50] + b"\0" * 40 + packed[90:]):
        path = tmp_path / "aws.json.gz"
        path.write_bytes(damaged)
        with pytest.raises(DamagedRanges, match=r"aws\.json\.gz: damaged gzip"):
            read_file(path)


def test_a_decompression_bomb_uses_little_memory_and_time(
    tmp_path: Path,
) -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(16 << 20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(b"".join(packer.compress(zeros) for _ in range(32)) + packer.flush())
    assert path.stat().st_size < 1 << 20
    assert_bounded(path, "more than 32 MiB")


def test_a_line_of_two_gigabytes_uses_little_memory_and_time(tmp_path: Path) -> None:
    path = tmp_path / "line.json"
    with path.open("wb") as file:
        file.write(b'{"prefixes": "')
        file.truncate(2 << 30)  # sparse: it reads as zeros
    assert_bounded(path, "more than 32 MiB")


def assert_bounded(path: Path, reason: str) -> None:
    tracemalloc.start()
    with pytest.raises(DamagedRanges, match=reason):
        read_file(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 * MAX_BYTES


def test_very_many_members_use_little_memory() -> None:
    data = b'{"":0' + b"".join(b',"%x":0' % n for n in range(1_000_000)) + b"}"
    tracemalloc.start()
    assert refusal(data) == NO_LIST
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


def test_the_error_of_an_unreadable_file_names_it(tmp_path: Path) -> None:
    with pytest.raises(DamagedRanges, match="No such file"):
        read_file(tmp_path / "none.json")
    with pytest.raises(DamagedRanges, match="Is a directory"):
        read_file(tmp_path)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{}",
        AWS.read_bytes()[:-20],
        GCP.read_bytes().replace(b"203.0.113.0/26", b"203.0.113.1/26"),
        GCP.read_bytes().replace(b"203.0.113.0/26", b"192.0.2.0/26"),
    ],
    ids=["empty", "no list", "cut off", "host bits", "in two vendors"],
)
def test_a_bad_file_among_good_ones_changes_nothing(bad: bytes, tmp_path: Path) -> None:
    files = kept_in(tmp_path)
    files.keep([read_file(AWS), read_file(AZURE)])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    newer = document(AWS)
    newer["createDate"] = "2026-08-23-00-00-00"
    with pytest.raises(DamagedRanges):
        files.keep([content(newer), content(bad)])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
