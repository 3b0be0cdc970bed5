"""Arrays as PostgreSQL reads them from text (PostgreSQL 15 documentation, section 8.15.6).

A driver that sends an array looks at each of its elements, several times. A text it sends as it
is; joining one costs little, and the server reads it as fast as an array.
"""

from collections.abc import Sequence


def of_numbers(numbers: Sequence[int]) -> str:
    """An array of bigint."""
    return "{" + ",".join(map(str, numbers)) + "}"


def of_bytes(values: Sequence[bytes]) -> str:
    """An array of bytea."""
    return "{" + ",".join([rf'"\\x{value.hex()}"' for value in values]) + "}"


def of_texts(texts: Sequence[str | None]) -> str:
    """An array of text; None is NULL."""
    if texts and None not in texts:
        joined = '","'.join(texts)  # type: ignore[arg-type]
        if "\\" not in joined and joined.count('"') == 2 * (len(texts) - 1):
            return f'{{"{joined}"}}'
    return "{" + ",".join([_quoted(text) for text in texts]) + "}"


def _quoted(text: str | None) -> str:
    if text is None:
        return "NULL"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
