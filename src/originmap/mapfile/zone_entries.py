"""The entries of a DNS master file (RFC 1035 §5.1): words on one or several lines, and comments.

It only splits words, by blanks, quotes, parentheses, comments and line ends. `zone_file` interprets
the entries.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<blank>[^\S\n]+) | (?P<end>\n) | (?P<comment>;[^\n]*) | (?P<open>\() | (?P<close>\))
    | (?P<word>"(?:[^"\\]|\\.)*" | (?:[^\s;()"\\]|\\[^\n]|\\$)+) | (?P<quote>")""",
    re.DOTALL | re.VERBOSE | re.MULTILINE,
)
_SWALLOWED = re.compile(
    r"\s(?:A|AAAA)[ \t]+[0-9A-F.:]+[ \t]*(?:;.*)?$", re.IGNORECASE | re.MULTILINE
)
_CLOSED = "a quote or parenthesis opens here and is not closed"


class Entry(NamedTuple):
    """An entry, or the comment at the end of a line, which has no words.

    An `indented` entry starts with a blank and has no owner. Quotes and escapes are kept.
    """

    line: int
    indented: bool
    words: list[str]
    comment: str = ""


class BrokenEntry(ValueError):
    """Unbalanced quotes or parentheses, after which entries cannot be told apart."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def entries(text: str) -> Iterator[Entry]:
    """The entries and comments of a text, in order. Raises BrokenEntry."""
    line, unfinished = 1, _Unfinished()
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "comment":
            yield Entry(line, False, [], token[0])
        elif token.lastgroup == "end" and not unfinished.opened:
            yield from unfinished.entry()
            unfinished = _Unfinished()
        else:
            unfinished.add(str(token.lastgroup), token[0], line)
        line += token[0].count("\n")
    yield from unfinished.entry()


class _Unfinished:
    """An entry whose last token is not read yet."""

    def __init__(self) -> None:
        self.opened: list[int] = []  # the lines of open parentheses
        self._line = 0
        self._indented = False
        self._words: list[str] = []

    def add(self, kind: str, text: str, line: int) -> None:
        if kind == "blank" and not self._line:
            self._indented = True
        elif kind == "open":
            self.opened.append(line)
        elif kind == "close":
            if not self.opened:
                raise BrokenEntry(line, "a parenthesis closes here without being opened")
            self.opened.pop()
        elif kind == "quote" or (kind == "word" and _is_swallowing(text)):
            raise BrokenEntry(line, _CLOSED)
        elif kind == "word":
            self._words.append(text)
        self._line = self._line or line

    def entry(self) -> Iterator[Entry]:
        """The finished entry; none if it has no words."""
        if self.opened:
            raise BrokenEntry(self.opened[0], _CLOSED)
        if self._words:
            yield Entry(self._line, self._indented, self._words)


def _is_swallowing(word: str) -> bool:
    """Whether a quote spans lines that look like records, because an earlier quote is open."""
    return "\n" in word and _SWALLOWED.search(word) is not None
