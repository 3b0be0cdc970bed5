"""A recording of a run: its requests and the answers, redacted, a line of JSON each.

The first line has the format and the version of Originmap. `tests/conformance` replays recordings.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from originmap import __version__
from originmap.verify.probe import ServerAnswer
from originmap.verify.redaction import Redactor

FORMAT = 1


class AnswerRecording:
    """Collects what a run sends and gets."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._pairs: list[dict[str, Any]] = []

    def add(self, answer: ServerAnswer) -> None:
        """Record a request and its answer."""
        request = self._redactor.request(answer.probe)
        self._pairs.append({"request": request, "answer": self._redactor.answer(answer)})

    def lines(self) -> Iterator[str]:
        """The recording, line by line."""
        head = {"format": FORMAT, "originmap": __version__}
        for each in (head, *self._pairs):
            yield msgspec.json.encode(each).decode() + "\n"
