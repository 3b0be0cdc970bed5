"""Small files in the vendors' exact formats, and a folder that stores files."""

import datetime
import json
from pathlib import Path
from typing import Any

from originmap.detect.content import Content
from originmap.detect.files import RangeFiles

FILES = Path(__file__).parent / "files"
_OTHERS = Path(__file__).parent / "other_clouds"
AWS = FILES / "aws.json"
AZURE = FILES / "ServiceTags_Public_20261102.json"
GCP = FILES / "gcp.json"
OCI = FILES / "oci.json"
VULTR = _OTHERS / "vultr.json"
FASTLY = _OTHERS / "fastly.json"
CLOUDFLARE = _OTHERS / "cloudflare.json"
DIGITALOCEAN = _OTHERS / "digitalocean.csv"
HETZNER = _OTHERS / "hetzner.csv"
LINODE = _OTHERS / "linode.csv"

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
