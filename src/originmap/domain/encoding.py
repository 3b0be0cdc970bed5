"""Decoding of input files in the encodings that programs write.

The only module that decodes the bytes of an input file: UTF-8 with or without a byte order mark,
and UTF-16 and UTF-32 as Windows programs write them. Callers open and read the files.
"""

import codecs

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Which of the first four bytes are NUL if the text starts with ASCII (RFC 4627 §3).
_NULS: dict[tuple[bool, ...], str] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}
# Archives and compressed files, often passed instead of the text inside.
_PACKED = (
    (b"PK\x03\x04", "this is a ZIP archive or a workbook of a spreadsheet: save it as plain text"),
    (b"\x1f\x8b", "this is compressed by gzip: unpack it"),
)
_END_OF_FILE = "\x1a"
"""Ctrl-Z, which DOS programs write at the end of a text."""


class NotText(ValueError):
    """Bytes that are not text in a supported encoding; the message says what to do."""


def decode(data: bytes) -> str:
    """Decode bytes to text, without a byte order mark. Raises NotText."""
    for mark, reason in _PACKED:
        if data.startswith(mark):
            raise NotText(reason)
    encoding, start = _encoding(data)
    try:
        return data[start:].decode(encoding).removesuffix(_END_OF_FILE)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            name = encoding[:6].upper()
            reason = f"this is {name}, damaged or cut off at byte {start + error.start}"
        else:
            line = data.count(b"\n", 0, start + error.start) + 1
            byte = data[start + error.start]
            reason = f"not UTF-8 at byte {start + error.start} (0x{byte:02x}, in line {line})"
        raise NotText(f"{reason}: save it as UTF-8") from None


def _encoding(data: bytes) -> tuple[str, int]:
    """The encoding of a text, and the length in bytes of its byte order mark."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding, len(mark)
    return _NULS.get(tuple(byte == 0 for byte in data[:4]), "utf-8"), 0
