"""Dry run of the agent: what it would write to each file."""

import asyncio
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from originmap.edge.errors import CannotWrite
from originmap.edge.renderer import Renderer
from originmap.edge.target import Duty
from originmap.export.format import File
from originmap.export.node import Node

_LARGEST_COMPARED = 1 << 20
"""Largest size in bytes of files that are shown as a diff."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The preview of one file. `diff` is unified; empty if the file is large or not text."""

    path: Path
    size: int
    state: str
    diff: str


async def preview(renderer: Renderer, duties: Sequence[Duty], folder: Path) -> list[Preview]:
    """Render every file into `folder` and compare it with the current one. Raises the errors of
    `Renderer.render`, CannotWrite."""

    def files_of(node: Node) -> dict[Path, File]:
        return {
            folder / duty.format.name / file.name: file
            for duty in duties
            for file in duty.format.all(node)
        }

    node = (await renderer.render(files_of)).node
    return [
        await asyncio.to_thread(_compared, folder / duty.format.name / file.name, path)
        for duty in duties
        for path, file in duty.files(node).items()
    ]


def _compared(new: Path, path: Path) -> Preview:
    content = new.read_bytes()
    try:
        before = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise CannotWrite(str(path), error) from error
    if before is None:
        return Preview(path, len(content), "would be created", "")
    if before == content:
        return Preview(path, len(content), "is up to date", "")
    return Preview(path, len(content), "would change", _diff(before, content, str(path)))


def _diff(before: bytes, after: bytes, name: str) -> str:
    if max(len(before), len(after)) > _LARGEST_COMPARED:
        return ""
    try:
        old, new = (text.decode().splitlines(keepends=True) for text in (before, after))
    except UnicodeDecodeError:
        return ""
    return "".join(difflib.unified_diff(old, new, name, name, n=0))
