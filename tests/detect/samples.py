"""Small files in the vendors' exact formats, and a folder that stores files."""

import datetime
import json
from pathlib import Path
from typing import Any

from originmap.detect.content import Content
from originmap.detect.files import RangeFiles

FILES = Path(__file__).parent / "files"
AWS = FILES / "aws.json"
AZURE = FILES / "ServiceTags_Public_20261102.json"
GCP = FILES / "gcp.json"
OCI = FILES / "oci.json"
VULTR = FILES / "vultr.json"
FASTLY = FILES / "fastly.json"
CLOUDFLARE = FILES / "cloudflare.json"
DIGITALOCEAN = FILES / "digitalocean.csv"
HETZNER = FILES / "hetzner.csv"
LINODE = FILES / "linode.csv"

MODIFIED = datetime.datetime(2026, 11, 3, tzinfo=datetime.UTC)
NOW = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)


def kept_in(folder: Path) -> RangeFiles:
    """A folder of range files, with a fixed clock."""
    return RangeFiles(folder, lambda: NOW)


def document(path: Path) -> Any:
    """A sample as JSON, for changes."""
    return json.loads(path.read_bytes())


def content(document: Any, name: str = "given.json") -> Content:
    """The content of a file with this JSON or these bytes."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Content(name, data, MODIFIED)
