"""A JSON parser that yields the events of a YAML parser, each with its line and column.

A mappings file in JSON shares the reader of YAML, but follows the rules of JSON (RFC 8259): libyaml
rejects escaped surrogate pairs and an unescaped U+007F, and accepts much that is not JSON.
"""

import json
import re
from collections.abc import Iterator

import yaml

MAX_DEPTH = 100

_DECODER = json.JSONDecoder()

_BLANKS = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)\b")
_QUOTED = re.compile(r"[^\s,:\[\]{}\"]{1,20}|.", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJSON(ValueError):
    """A text that is not JSON; line and column count from 1."""

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.line = line
        self.column = column
        self.reason = reason


def parse(text: str) -> Iterator[yaml.Event]:
    """Parse one document, and yield its events. Raises NotJSON."""
    parser = _Parser(text)
    yield yaml.DocumentStartEvent()
    yield from parser.value(0)
    parser.end()
    yield yaml.DocumentEndEvent()


def json_problem(file: str, text: str, error: Exception) -> str:
    """A message for a file that was not decoded: line and column if it is not JSON, else
    `error`."""
    try:
        for _ in parse(text):
            pass
    except NotJSON as problem:
        return f"{file}:{problem.line}:{problem.column}: not JSON: {problem.reason}"
    return f"{file}: {error}"


class _Parser:
    """A position in a text. Every method starts at the next token, and ends after it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = self._line = self._line_start = 0

    def value(self, depth: int) -> Iterator[yaml.Event]:
        mark = self._mark()
        if depth >= MAX_DEPTH and self._text.startswith(("{", "["), self._at):
            raise self._error(f"nested more than {MAX_DEPTH} levels deep")
        if self._took("{"):
            yield yaml.MappingStartEvent(None, None, True, mark, mark, True)
            yield from self._members(depth + 1)
            yield yaml.MappingEndEvent()
        elif self._took("["):
            yield yaml.SequenceStartEvent(None, None, True, mark, mark, True)
            yield from self._items(depth + 1)
            yield yaml.SequenceEndEvent()
        elif self._text.startswith('"', self._at):
            yield self._string(mark)
        elif word := _WORD.match(self._text, self._at):
            self._at = word.end()
            yield yaml.ScalarEvent(None, None, (True, False), word[0], mark, mark)
        else:
            raise self._expected("a value")

    def end(self) -> None:
        self._skip_blanks()
        if self._at < len(self._text):
            raise self._expected("the end of the file")

    def _members(self, depth: int) -> Iterator[yaml.Event]:
        if self._took("}"):
            return
        while True:
            mark = self._mark()
            if not self._text.startswith('"', self._at):
                raise self._expected("a key in double quotes")
            yield self._string(mark)
            if not self._took(":"):
                raise self._expected("a colon")
            yield from self.value(depth)
            if self._took("}"):
                return
            if not self._took(","):
                raise self._expected("a comma or }")

    def _items(self, depth: int) -> Iterator[yaml.Event]:
        if self._took("]"):
            return
        while True:
            yield from self.value(depth)
            if self._took("]"):
                return
            if not self._took(","):
                raise self._expected("a comma or ]")

    def _string(self, mark: yaml.Mark) -> yaml.ScalarEvent:
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self._error(error.msg[0].lower() + error.msg[1:].removesuffix(" at")) from None
        if _SURROGATE.search(value):
            line, column = mark.line + 1, mark.column + 1
            raise NotJSON(line, column, "half of a surrogate pair, which is not a character")
        return yaml.ScalarEvent(None, None, (False, True), value, mark, mark, '"')

    def _took(self, character: str) -> bool:
        self._skip_blanks()
        if not self._text.startswith(character, self._at):
            return False
        self._at += 1
        return True

    def _mark(self) -> yaml.Mark:
        self._skip_blanks()
        return yaml.Mark("", self._at, self._line, self._at - self._line_start, None, 0)

    def _skip_blanks(self) -> None:
        """Advance to the next token; line ends occur between tokens only."""
        match = _BLANKS.match(self._text, self._at)
        assert match is not None
        if lines := match[0].count("\n"):
            self._line += lines
            self._line_start = match.start() + match[0].rindex("\n") + 1
        self._at = match.end()

    def _expected(self, token: str) -> NotJSON:
        match = _QUOTED.match(self._text, self._at)
        return self._error(f"expected {token}, not {match[0]!r}" if match else f"missing {token}")

    def _error(self, reason: str) -> NotJSON:
        return NotJSON(self._line + 1, self._at - self._line_start + 1, reason)
