"""Reads files of mappings: one, or all in a folder; the form follows from a file's name."""

from pathlib import Path

from originmap.domain.encoding import NotText, decode
from originmap.domain.mapping.catalogue import Catalogue
from originmap.mapfile import csv_reader, yaml_reader
from originmap.mapfile.document import Document
from originmap.mapfile.errors import UnusableFile, WrongFile

FORMS = (".yaml", ".yml", ".json", ".csv")
MAX_BYTES = 256 << 20
_ENDINGS = f"the name of one ends in {', '.join(FORMS)}"


def read(path: Path, catalogue: Catalogue | None) -> Document:
    """Everything that a file or a folder says; without a catalogue any region will do.

    Raises UnusableFile, or WrongFile with all problems of all files.
    """
    document = Document(catalogue)
    for file in files(path):
        add(file, document)
    if document.problems:
        raise WrongFile(document.problems)
    return document


def files(path: Path) -> list[Path]:
    """The files of mappings that a path stands for, sorted. Raises UnusableFile."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if _is_form(file))
    if not found:
        raise UnusableFile(str(path), "no files of mappings in it", _ENDINGS)
    return found


def add(file: Path, document: Document) -> None:
    """Add what one file says. Raises UnusableFile."""
    if file.suffix.lower() not in FORMS:
        raise UnusableFile(str(file), "not a file of mappings by its name", _ENDINGS)
    text = text_of(file)
    if file.suffix.lower() == ".csv":
        csv_reader.read(str(file), text, document)
    elif file.suffix.lower() == ".json":
        yaml_reader.read_json(str(file), text, document)
    else:
        yaml_reader.read(str(file), text, document)


def text_of(file: Path) -> str:
    """What is in a file; every line of it ends in a line feed. Raises UnusableFile."""
    return decoded(file, bytes_of(file))


def bytes_of(file: Path) -> bytes:
    """The bytes of a file, read once, for it may be a pipe. Raises UnusableFile."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusableFile(str(file), error.strerror or str(error)) from error
    if len(data) > MAX_BYTES:
        raise UnusableFile(str(file), f"over {MAX_BYTES >> 20} MiB")
    return data


def decoded(file: Path, data: bytes) -> str:
    """The text of a file's bytes, as `text_of` gives it. Raises UnusableFile."""
    try:
        text = decode(data)
    except NotText as error:
        raise UnusableFile(str(file), str(error)) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_form(file: Path) -> bool:
    return file.suffix.lower() in FORMS and file.is_file() and not file.name.startswith(".")
