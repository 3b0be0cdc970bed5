"""Generates openapi.json, which the server serves, from YAML files.

common.yaml has the shared parts; each other file adds paths and components, and two files must not
describe the same one. Run it after every change: python scripts/openapi.py
"""

import json
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "src" / "originmap" / "api" / "openapi"
TARGET = FOLDER / "openapi.json"


def main() -> None:
    """Write the document."""
    TARGET.write_bytes(generate())


def generate() -> bytes:
    """The document as JSON."""
    document = _read(FOLDER / "common.yaml")
    document["paths"] = {}
    for part in sorted(set(FOLDER.glob("*.yaml")) - {FOLDER / "common.yaml"}):
        added = _read(part)
        _add(document["paths"], added.pop("paths"), part)
        for kind, components in added.pop("components", {}).items():
            _add(document["components"].setdefault(kind, {}), components, part)
        if added:
            raise SystemExit(f"{part.name}: {', '.join(added)} belongs in common.yaml")
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return content


def _add(into: dict[str, Any], more: dict[str, Any], part: Path) -> None:
    twice = into.keys() & more.keys()
    if twice:
        raise SystemExit(
            f"{part.name}: already described in another file: {', '.join(sorted(twice))}"
        )
    into.update(more)


if __name__ == "__main__":
    main()
