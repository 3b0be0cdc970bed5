"""The folder stores the vendors' files unchanged, and replaces them atomically."""

import datetime
import gzip
import hashlib
from pathlib import Path

import pytest

from originmap.detect.content import read_file
from originmap.detect.errors import DamagedRanges, FewerRanges, RangesUnwritable
from originmap.detect.files import RangeFiles
from originmap.domain.detection.ranges import RangeTable
from tests.builders import ip
from tests.detect.samples import AWS, AZURE, GCP, NOW, OCI, content, document, kept_in

ALL = [AWS, AZURE, GCP, OCI]


@pytest.fixture
def files(tmp_path: Path) -> RangeFiles:
    """A folder with all four vendors' files."""
    files = kept_in(tmp_path / "state" / "ranges")
    files.keep(map(read_file, ALL))
    return files


def region_of(table: RangeTable, text: str) -> str | None:
    found = table.find(ip(text))
    return found.region if found else None


def fewer(count: int) -> object:
    made = document(AWS)
    made["prefixes"] = made["prefixes"][:count]
    return made


def test_the_stored_files_form_one_table(files: RangeFiles) -> None:
    table = files.table()
    assert table.vendors == ("aws", "azure", "gcp", "oci")
    for text, region in {
        "192.0.2.1": "us-west-2",
        "203.0.113.1": "europe-west1",
        "203.0.113.130": "mx-monterrey-1",
        "198.19.1.1": "francecentral",
        "198.18.7.1": "eu-central-1",
    }.items():
        assert region_of(table, text) == region


def test_an_empty_or_missing_folder_has_an_empty_table(tmp_path: Path) -> None:
    assert kept_in(tmp_path).table().vendors == ()
    assert kept_in(tmp_path / "none").kept() == []


def test_the_original_content_is_stored_with_a_note(files: RangeFiles) -> None:
    packed = gzip.compress(AWS.read_bytes(), mtime=5)
    files.keep([content(gzip.decompress(packed), "there/aws.json.gz")])
    (aws,) = (each for each in files.kept() if each.publication.vendor == "aws")
    assert gzip.decompress(aws.path.read_bytes()) == AWS.read_bytes()
    assert aws.note is not None
    assert aws.note.sha256 == hashlib.sha256(AWS.read_bytes()).hexdigest()
    assert (aws.note.kept_at, aws.note.name) == (NOW, "there/aws.json.gz")


def test_the_date_in_a_file_name_is_stored_too(files: RangeFiles) -> None:
    date = datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC)
    assert files.table().published("azure") == date


def test_no_temporary_files_are_left_in_the_folder(files: RangeFiles) -> None:
    names = {path.name for path in files.folder.iterdir()}
    vendors = ("aws", "azure", "gcp", "oci")
    assert names == {f"{v}{end}" for v in vendors for end in (".json.gz", ".about.json")}
    assert {path.stat().st_mode & 0o777 for path in files.folder.iterdir()} == {0o644}


def test_a_newer_file_replaces_only_that_of_its_vendor(files: RangeFiles) -> None:
    newer = document(OCI)
    newer["regions"][0]["region"] = "mx-queretaro-1"
    files.keep([content(newer)])
    table = files.table()
    assert region_of(table, "203.0.113.130") == "mx-queretaro-1"
    assert region_of(table, "192.0.2.1") == "us-west-2"


def test_two_files_of_one_vendor_are_rejected(files: RangeFiles) -> None:
    with pytest.raises(DamagedRanges, match="ranges of aws, like a") as caught:
        files.keep([content(document(AWS), "a"), content(document(AWS), "b")])
    assert caught.value.file == "b"


def test_a_file_of_an_unexpected_vendor_is_rejected(files: RangeFiles) -> None:
    with pytest.raises(DamagedRanges, match="lists the ranges of gcp, not aws"):
        files.keep([read_file(GCP)], expected="aws")


def test_far_fewer_prefixes_are_rejected(files: RangeFiles) -> None:
    with pytest.raises(FewerRanges) as caught:
        files.keep([content(fewer(2), "few.json")])
    assert str(caught.value) == "few.json: 3 prefixes of aws, but the stored file has 7"
    assert "--allow-fewer" in caught.value.hint
    assert len(files.table()) == len(kept_in(files.folder).table())
    assert region_of(files.table(), "198.18.7.1") == "eu-central-1"


def test_fewer_prefixes_are_accepted_if_allowed_and_slightly_fewer_always(
    files: RangeFiles,
) -> None:
    files.keep([content(fewer(5))])
    files.keep([content(fewer(2))], allow_fewer=True)
    assert region_of(files.table(), "198.18.7.1") is None


def test_an_address_of_two_vendors_names_both(files: RangeFiles) -> None:
    claims = document(GCP)
    claims["prefixes"][0]["ipv4Prefix"] = "192.0.2.0/26"
    with pytest.raises(DamagedRanges) as caught:
        files.keep([content(claims, "gcp.json")])
    assert "192.0.2.0/26 of gcp in europe-west1 contradicts 192.0.2.0/25 of aws" in str(
        caught.value
    )
    assert "both vendors together" in caught.value.hint


def test_addresses_that_moved_between_vendors_are_imported_with_both_files(
    files: RangeFiles,
) -> None:
    claims, left = document(GCP), document(AWS)
    claims["prefixes"][0]["ipv4Prefix"] = "198.18.7.0/24"
    left["prefixes"] = [p for p in left["prefixes"] if not p["ip_prefix"].startswith("198.18")]
    files.keep([content(claims), content(left)], allow_fewer=True)
    assert region_of(files.table(), "198.18.7.1") == "europe-west1"


def test_the_error_of_a_damaged_file_names_it_and_it_can_be_replaced(files: RangeFiles) -> None:
    (files.folder / "gcp.json.gz").write_bytes(b"\x1f\x8bgarbage")
    with pytest.raises(DamagedRanges, match=r"gcp\.json\.gz: damaged gzip"):
        files.table()
    with pytest.raises(DamagedRanges, match=r"gcp\.json\.gz: damaged gzip"):
        files.keep([read_file(AWS)])
    assert files.note("gcp") is None
    files.keep([read_file(GCP)])
    assert region_of(files.table(), "203.0.113.1") == "europe-west1"


def test_a_file_under_the_name_of_another_vendor_is_rejected(files: RangeFiles) -> None:
    (files.folder / "gcp.json.gz").write_bytes(AWS.read_bytes())
    with pytest.raises(DamagedRanges, match="lists the ranges of aws"):
        files.table()


@pytest.mark.parametrize("note", [b"", b"{}", b"[1]", b"\xff", None])
def test_a_file_without_its_note_is_used(files: RangeFiles, note: bytes | None) -> None:
    about = files.folder / "aws.about.json"
    if note is None:
        about.unlink()
    else:
        about.write_bytes(note)
    assert files.note("aws") is None
    assert region_of(files.table(), "192.0.2.1") == "us-west-2"


def test_a_note_of_another_file_is_ignored(files: RangeFiles) -> None:
    assert files.note("aws") is not None
    (files.folder / "aws.json.gz").write_bytes(AWS.read_bytes() + b"\n")
    assert files.note("aws") is None


def test_the_error_of_an_unwritable_folder_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RangesUnwritable) as caught:
        kept_in(tmp_path / "file" / "ranges").keep([read_file(AWS)])
    assert str(tmp_path) in str(caught.value)
    assert "--ranges" in caught.value.hint


def test_a_table_in_use_is_not_changed_by_a_later_import(files: RangeFiles) -> None:
    old = files.table()
    newer = document(OCI)
    newer["regions"][0]["region"] = "mx-queretaro-1"
    files.keep([content(newer)])
    assert region_of(old, "203.0.113.130") == "mx-monterrey-1"
