"""Reads mappings files: one, or all in a folder. The extension of a file decides its format."""

import os
import re
from pathlib import Path

from originmap.domain.encoding import NotText, decode
from originmap.domain.mapping.catalogue import Catalogue
from originmap.mapfile import csv_reader, yaml_reader
from originmap.mapfile.document import Document
from originmap.mapfile.errors import UnusableFile, WrongFile

FORMS = (".yaml", ".yml", ".json", ".csv")
MAX_BYTES = 256 << 20
_SAVED_PLAN = re.compile(r'"format"\s*:\s*"originmap-plan/')
_EXTENSIONS = f"name it with one of the extensions {', '.join(FORMS)}"


def read(path: Path, catalogue: Catalogue | None) -> Document:
    """Read a file or a folder. Without a catalogue any region is accepted.

    Raises UnusableFile, or WrongFile with all problems of all files.
    """
    document = Document(catalogue)
    for file in files(path):
        add(file, document)
    if document.problems:
        raise WrongFile(document.problems)
    return document


def files(path: Path) -> list[Path]:
    """The mappings files of a path: the file itself, or all in a folder, sorted. Raises
    UnusableFile."""
    if not os.path.isdir(path):
        return [path]
    try:
        matches = sorted(file for file in path.iterdir() if _is_form(file))
    except OSError as error:
        raise UnusableFile(str(path), error.strerror or str(error)) from error
    if not matches:
        raise UnusableFile(str(path), "no mappings files in this folder", _EXTENSIONS)
    return matches


def add(file: Path, document: Document) -> None:
    """Add the content of one file. Raises UnusableFile, or WrongFile for a zone over its limit."""
    if file.suffix.lower() not in FORMS:
        raise UnusableFile(str(file), "the extension is not one of a mappings file", _EXTENSIONS)
    text = text_of(file)
    if is_saved_plan(text):
        hint = "apply it with originmap apply; plan and drift take the file that it was made of"
        raise UnusableFile(str(file), "a saved plan, not a file of mappings", hint)
    if file.suffix.lower() == ".csv":
        csv_reader.read(str(file), text, document)
    elif file.suffix.lower() == ".json":
        yaml_reader.read_json(str(file), text, document)
    else:
        yaml_reader.read(str(file), text, document)


def is_saved_plan(text: str) -> bool:
    """Whether a text is a saved plan of any version, as JSON: no mappings file, but a plan can be
    saved beside it."""
    return _SAVED_PLAN.search(text, 0, 400) is not None


def text_of(file: Path) -> str:
    """The text of a file, with line feeds as line ends. Raises UnusableFile."""
    return decoded(file, bytes_of(file))


def bytes_of(file: Path) -> bytes:
    """The bytes of a file, which is read only once because it can be a pipe. Raises
    UnusableFile."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusableFile(str(file), error.strerror or str(error)) from error
    if len(data) > MAX_BYTES:
        raise UnusableFile(str(file), f"larger than {MAX_BYTES >> 20} MiB")
    return data


def decoded(file: Path, data: bytes) -> str:
    """Decode a file's bytes, with line feeds as line ends. Raises UnusableFile."""
    try:
        text = decode(data)
    except NotText as error:
        raise UnusableFile(str(file), str(error)) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_form(file: Path) -> bool:
    """Whether the name is one of a mappings file. A broken link and whatever else is no folder
    count too: they are read or are errors, because the mappings of a file that is left out would
    be deleted."""
    hidden = file.name.startswith(".")
    # os.path.isdir raises no OSError: that comes from opening the file, and with its name.
    return file.suffix.lower() in FORMS and not hidden and not os.path.isdir(file)
