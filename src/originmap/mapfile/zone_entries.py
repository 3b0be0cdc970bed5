"""The entries of a DNS master file (RFC 1035 §5.1): words over one line or several, and comments.

Only what separates words: blanks, quotes, parentheses, comments, ends of lines. What an entry
means is left to `zone_file`.
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
_CLOSED = "a quote or parenthesis that is opened here has to be closed"


class Entry(NamedTuple):
    """An entry, or the comment at the end of a line: then it has no words.

    `indented` says that it begins with a blank, so that it has no owner. A word in quotes keeps
    them, and escapes are as they were written.
    """

    line: int
    indented: bool
    words: list[str]
    comment: str = ""


class BrokenEntry(ValueError):
    """Quotes or parentheses that do not match, so that what follows cannot be told apart."""

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
    """An entry of which the last token is not read yet."""

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
                raise BrokenEntry(line, "a parenthesis is closed that was not opened")
            self.opened.pop()
        elif kind == "quote" or (kind == "word" and _is_swallowing(text)):
            raise BrokenEntry(line, _CLOSED)
        elif kind == "word":
            self._words.append(text)
        self._line = self._line or line

    def entry(self) -> Iterator[Entry]:
        """The entry, now at its end; none if there are no words in it."""
        if self.opened:
            raise BrokenEntry(self.opened[0], _CLOSED)
        if self._words:
            yield Entry(self._line, self._indented, self._words)


def _is_swallowing(word: str) -> bool:
    """Whether a quote goes over lines that look like records, since one was left open before."""
    return "\n" in word and _SWALLOWED.search(word) is not None
