"""Downloads the vendors' files from their published URLs if they changed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from originmap.detect import aws, azure, cloudflare, fastly, gcp, geofeeds, oci, vultr
from originmap.detect.content import Content, utf8
from originmap.detect.download import NOTHING_SET, Download, download
from originmap.detect.errors import DownloadFailed
from originmap.detect.files import Kept, RangeFiles

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        aws.VENDOR: aws.URL,
        azure.VENDOR: azure.PAGE,
        gcp.VENDOR: gcp.URL,
        oci.VENDOR: oci.URL,
        **geofeeds.URLS,
        vultr.VENDOR: vultr.URL,
        cloudflare.VENDOR: cloudflare.URL,
        fastly.VENDOR: fastly.URL,
    }
)
"""The URL of each vendor's file; for Azure the page that links to it."""

_BLANK = b"\xef\xbb\xbf \t\r\n"
_LINK = re.compile(rb"""https?://[^"'\s<>\\]{1,500}/ServiceTags_Public_\d{8}\.json""")


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of a download; `kept` is None if the stored file is current."""

    vendor: str
    url: str
    kept: Kept | None


def fetch(
    files: RangeFiles,
    vendor: str,
    url: str,
    seconds: float,
    *,
    allow_fewer: bool = False,
    environment: Mapping[str, str] = NOTHING_SET,
) -> Fetched:
    """Download a vendor's file, unless the stored one is current. `url` is that of the file or,
    for Azure, of a page with a link to it. Raises RangesError; the stored file is then unchanged.
    """
    note = files.note(vendor)
    known = note.origin if note else None
    answer = download(url, known if known and known.url == url else None, seconds, environment)
    if vendor == azure.VENDOR and answer is not None and answer.data.lstrip(_BLANK)[:1] == b"<":
        url = _linked(url, answer)
        answer = download(url, known if known and known.url == url else None, seconds, environment)
    if answer is None:
        return Fetched(vendor, url, None)
    content = Content(url, utf8(url, answer.data), answer.modified or files.now())
    (kept,) = files.keep([content], expected=vendor, allow_fewer=allow_fewer, origin=answer.origin)
    unchanged = note is not None and kept.note is not None and note.sha256 == kept.note.sha256
    return Fetched(vendor, url, None if unchanged else kept)


def _linked(page: str, answer: Download) -> str:
    match = _LINK.search(answer.data)
    if match is None:
        hint = "find the link to ServiceTags_Public on the page, and use --url azure=URL"
        raise DownloadFailed(page, "the page has no link to a file of service tags", hint)
    link = match[0].decode()
    if page.startswith("https:") and not link.startswith("https:"):
        raise DownloadFailed(page, f"it links to {link}, which is not encrypted")
    return link
