"""Downloads from the vendors' servers: conditional, with limits."""

import datetime
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from originmap.detect import fetch as fetching
from originmap.detect.errors import DamagedRanges, DownloadFailed, FewerRanges, RangesError
from originmap.detect.fetch import Fetched, fetch
from originmap.detect.files import RangeFiles
from tests.detect.samples import AWS, AZURE, GCP, NOW, document, kept_in
from tests.detect.vendor_server import Page, VendorServer, vendor_server

DATED = "Tue, 27 Oct 2026 10:00:00 GMT"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[VendorServer]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with vendor_server() as server:
        yield server


@pytest.fixture
def files(tmp_path: Path) -> RangeFiles:
    return kept_in(tmp_path / "ranges")


def fetched(files: RangeFiles, server: VendorServer, vendor: str = "aws") -> Fetched:
    return fetch(files, vendor, f"{server.url}/{vendor}", 5)


def refused(files: RangeFiles, server: VendorServer, kind: type[RangesError]) -> str:
    before = {path.name: path.read_bytes() for path in files.folder.glob("*")}
    with pytest.raises(kind) as caught:
        fetched(files, server)
    assert {path.name: path.read_bytes() for path in files.folder.glob("*")} == before
    return str(caught.value)


def test_a_downloaded_file_is_stored_with_its_source(
    files: RangeFiles, server: VendorServer
) -> None:
    server.pages["/aws"] = Page(AWS.read_bytes(), headers={"ETag": '"1"', "Last-Modified": DATED})
    got = fetched(files, server)
    assert got.kept is not None
    assert len(got.kept.publication.ranges) == 7
    assert got.kept.note is not None
    assert got.kept.note.origin is not None
    assert got.kept.note.origin.url == f"{server.url}/aws"
    assert files.table().vendors == ("aws",)


def test_the_second_download_is_a_conditional_request(
    files: RangeFiles, server: VendorServer
) -> None:
    server.pages["/aws"] = Page(AWS.read_bytes(), headers={"ETag": '"1"', "Last-Modified": DATED})
    assert fetched(files, server).kept
    assert fetched(files, server).kept is None
    conditions = {"if-none-match": '"1"', "if-modified-since": DATED}
    assert server.asked == [("/aws", {}), ("/aws", conditions)]


def test_a_changed_file_replaces_the_stored_one(files: RangeFiles, server: VendorServer) -> None:
    server.pages["/aws"] = Page(AWS.read_bytes(), headers={"ETag": '"1"'})
    fetched(files, server)
    newer = document(AWS)
    newer["createDate"] = "2026-08-23-00-00-00"
    server.pages["/aws"] = Page(json.dumps(newer).encode(), headers={"ETag": '"2"'})
    assert fetched(files, server).kept
    assert files.table().published("aws") == datetime.datetime(2026, 8, 23, tzinfo=datetime.UTC)


def test_the_same_content_is_no_change_even_without_validators(
    files: RangeFiles, server: VendorServer
) -> None:
    server.pages["/aws"] = Page(AWS.read_bytes())
    assert fetched(files, server).kept
    assert fetched(files, server).kept is None


@pytest.mark.parametrize("damage", ["note", "file", "address"])
def test_no_conditions_are_sent_if_the_stored_file_was_changed(
    files: RangeFiles, server: VendorServer, damage: str
) -> None:
    server.pages["/aws"] = Page(AWS.read_bytes(), headers={"ETag": '"1"'})
    fetched(files, server)
    if damage == "note":
        (files.folder / "aws.about.json").write_bytes(b"{}")
    elif damage == "file":
        (files.folder / "aws.json.gz").write_bytes(b"\x1f\x8b")
    else:
        server.pages["/other"] = server.pages["/aws"]
        fetch(files, "aws", f"{server.url}/other", 5)
    if damage != "address":
        fetched(files, server)
    assert server.asked[-1][1] == {}
    assert files.table().vendors == ("aws",)


def test_compressed_responses_are_decompressed(files: RangeFiles, server: VendorServer) -> None:
    headers = {"Content-Encoding": "gzip"}
    server.pages["/aws"] = Page(gzip.compress(AWS.read_bytes()), headers=headers)
    assert fetched(files, server).kept


def test_the_file_of_azure_is_downloaded_through_its_page(
    files: RangeFiles, server: VendorServer
) -> None:
    file = "/download/7/ServiceTags_Public_20261102.json"
    page = f'<!DOCTYPE html>\n<a href="{server.url}{file}">Download</a>'
    server.pages["/azure"] = Page(page.encode(), headers={"ETag": '"page"'})
    server.pages[file] = Page(AZURE.read_bytes(), headers={"ETag": '"1"'})
    got = fetched(files, server, "azure")
    assert got.url == server.url + file
    assert files.table().published("azure") == datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC)
    assert fetched(files, server, "azure").kept is None
    assert [(path, bool(conditions)) for path, conditions in server.asked] == [
        ("/azure", False),
        (file, False),
        ("/azure", False),
        (file, True),
    ]


def test_the_url_of_azures_file_can_be_set_directly(
    files: RangeFiles, server: VendorServer
) -> None:
    server.pages["/azure"] = Page(AZURE.read_bytes(), headers={"Last-Modified": DATED})
    assert fetched(files, server, "azure").kept
    date = datetime.datetime(2026, 10, 27, 10, tzinfo=datetime.UTC)
    assert files.table().published("azure") == date


def test_a_file_without_a_date_has_the_download_time(
    files: RangeFiles, server: VendorServer
) -> None:
    server.pages["/azure"] = Page(AZURE.read_bytes(), headers={"Last-Modified": "last week"})
    assert fetched(files, server, "azure").kept
    assert files.table().published("azure") == NOW


def test_a_page_without_the_link_is_an_error(files: RangeFiles, server: VendorServer) -> None:
    server.pages["/azure"] = Page(b"<html>We have moved</html>")
    with pytest.raises(DownloadFailed, match="no link to a file of service tags") as caught:
        fetched(files, server, "azure")
    assert "--url azure=" in caught.value.hint


@pytest.mark.parametrize(
    ("page", "kind", "reason"),
    [
        (Page(status=503), DownloadFailed, "the server responded 503 Service Unavailable"),
        (Page(status=304), DownloadFailed, "the server responded 304 Not Modified"),
        (
            Page(AWS.read_bytes()[:500], announced=2000),
            DownloadFailed,
            "the response ended 1,500 bytes early",
        ),
        (Page(b"", announced=2000), DownloadFailed, "the response ended 2,000 bytes early"),
        (Page(AWS.read_bytes()[:-9]), DamagedRanges, "Input data was truncated"),
        (Page(GCP.read_bytes()), DamagedRanges, "lists the ranges of gcp, not aws"),
        (Page(b"<html>"), DamagedRanges, "it is a web page, not JSON"),
        (Page(b""), DamagedRanges, "it is empty"),
        (Page(gzip.compress(bytes(33 << 20))), DamagedRanges, "more than 32 MiB"),
        (Page(bytes(33 << 20)), DamagedRanges, "more than 32 MiB"),
        (
            Page(status=302, headers={"Location": "ftp://127.0.0.1/aws"}),
            DownloadFailed,
            "it redirects to ftp://127.0.0.1/aws",
        ),
        (Page(status=302, headers={"Location": "/aws"}), DownloadFailed, "302"),
        (
            Page(status=302, headers={"Location": "https://xn--a.example/"}),
            DownloadFailed,
            "it redirects to an invalid URL",
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_bad_response_changes_nothing(
    files: RangeFiles, server: VendorServer, page: Page, kind: type[RangesError], reason: str
) -> None:
    server.pages["/aws"] = Page(AWS.read_bytes())
    fetched(files, server)
    server.pages["/aws"] = page
    said = refused(files, server, kind)
    assert reason in said
    assert said.startswith(f"{server.url}/aws: ")


def test_far_fewer_prefixes_are_rejected(files: RangeFiles, server: VendorServer) -> None:
    server.pages["/aws"] = Page(AWS.read_bytes())
    fetched(files, server)
    fewer = document(AWS)
    fewer["prefixes"] = fewer["prefixes"][:2]
    server.pages["/aws"] = Page(json.dumps(fewer).encode())
    assert "3 prefixes of aws" in refused(files, server, FewerRanges)
    assert fetch(files, "aws", f"{server.url}/aws", 5, allow_fewer=True).kept


def test_a_slow_server_exceeds_the_total_timeout(files: RangeFiles, server: VendorServer) -> None:
    server.pages["/aws"] = Page(AWS.read_bytes(), drip=0.05)
    with pytest.raises(DownloadFailed, match=r"no complete response within 0\.4 s"):
        fetch(files, "aws", f"{server.url}/aws", 0.4)
    assert server.sent == 0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/x", "Connection refused"),
        ("http://[::1/x", "Invalid port"),
        ("http://127.0.0.1:port/x", "Invalid port"),
        ("file:///etc/passwd", "not an http:// or https:// URL"),
        ("http:///x", "the URL has no host"),
    ],
)
def test_the_error_of_an_unreachable_server_has_its_url(
    files: RangeFiles, url: str, reason: str
) -> None:
    with pytest.raises(DownloadFailed, match=reason):
        fetch(files, "aws", url, 5)


def test_every_vendor_has_a_source_with_encryption() -> None:
    assert list(fetching.SOURCES) == [
        *("aws", "azure", "gcp", "oci", "digitalocean", "hetzner", "linode", "vultr"),
        *("cloudflare", "fastly"),
    ]
    assert all(url.startswith("https://") for url in fetching.SOURCES.values())
