"""Text form of PostgreSQL arrays (PostgreSQL 15 documentation, section 8.15.6).

The driver inspects each element of an array several times, but sends a text as it is. Joining a
text is cheap, and the server parses it as fast as an array.
"""

from collections.abc import Sequence


def of_numbers(numbers: Sequence[int]) -> str:
    """Format an array of bigint."""
    return "{" + ",".join(map(str, numbers)) + "}"


def of_bytes(values: Sequence[bytes]) -> str:
    """Format an array of bytea."""
    return "{" + ",".join([rf'"\\x{value.hex()}"' for value in values]) + "}"


def of_texts(texts: Sequence[str | None]) -> str:
    """Format an array of text; None is NULL."""
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
