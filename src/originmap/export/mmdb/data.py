"""The data of an MMDB and its metadata, in the encoding of the MaxMind DB file format 2.0."""

from typing import NamedTuple

MARK = b"\xab\xcd\xefMaxMind.com"
"""The start of the metadata."""

_UINT16, _UINT32, _MAP, _UINT64, _ARRAY, _TEXT = 5, 6, 7, 9, 11, 2


class _Number(NamedTuple):
    kind: int
    number: int


def metadata(nodes: int, newest: int) -> bytes:
    """`newest`: the time of the newest mapping, in seconds since 1970, the only time in the
    file."""
    return encoded(
        {
            "binary_format_major_version": _Number(_UINT16, 2),
            "binary_format_minor_version": _Number(_UINT16, 0),
            "build_epoch": _Number(_UINT64, newest),
            "database_type": "Originmap",
            "description": {"en": "Where the caches of a network fill from, by origin address"},
            "ip_version": _Number(_UINT16, 6),
            "languages": ["en"],
            "node_count": _Number(_UINT32, nodes),
            "record_size": _Number(_UINT16, 32),
        }
    )


def encoded(value: object) -> bytes:
    """Encode a value in the data format of the specification."""
    match value:
        case str():
            text = value.encode()
            return _control(_TEXT, len(text)) + text
        case _Number(kind, number):
            raw = number.to_bytes(8, "big").lstrip(b"\0")
            return _control(kind, len(raw)) + raw
        case list():
            return _control(_ARRAY, len(value)) + b"".join(map(encoded, value))
        case dict():
            members = (encoded(name) + encoded(member) for name, member in value.items())
            return _control(_MAP, len(value)) + b"".join(members)
    raise TypeError(value)


def _control(kind: int, size: int) -> bytes:
    """The control bytes: type and size. Sizes from 29 on have extra bytes, types over 7 too."""
    extended = bytes([kind - 7]) if kind > 7 else b""
    number = kind << 5 if kind <= 7 else 0
    if size < 29:
        return bytes([number | size]) + extended
    if size < 285:
        return bytes([number | 29]) + extended + bytes([size - 29])
    return bytes([number | 30]) + extended + (size - 285).to_bytes(2, "big")
