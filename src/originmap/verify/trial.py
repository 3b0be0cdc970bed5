"""One run of a check: sends its requests, and compares the answers with those of Originmap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from originmap.verify.expected import REGION, VENDOR, item
from originmap.verify.pattern import Expected, matches, shown
from originmap.verify.probe import JSON, Probe, ServerAnswer
from originmap.verify.zone_under_test import MOST_WRONG_CREDENTIALS, ZoneUnderTest

_MOST_MAPPINGS = 3500
_LONGEST_BODY = 2000


class NotTried(Exception):
    """The check cannot be tried here; the text says why."""


@dataclass(frozen=True)
class Compared:
    """What was expected and what came, redacted. `request` is what was asked."""

    request: str
    expected: Any
    answered: Any
    same: bool


class Trial:
    """What a check function gets."""

    def __init__(self, zone: ZoneUnderTest) -> None:
        self.compared: list[Compared] = []
        self.zone = zone

    # Addresses

    def address(self, start: str = "") -> str:
        """A documentation address without a mapping, of one of the RANGES of `addresses`. Raises
        NotTried."""
        self._need_room(1)
        found = self.zone.take(start)
        if found is None:
            raise NotTried("the zone has mappings for all documentation addresses of verify")
        return found

    def addresses(self, count: int) -> list[str]:
        """Several IPv6 addresses, if the zone has room for them. Raises NotTried."""
        self._need_room(count)
        return [self.address("2001:db8") for _ in range(count)]

    # Requests

    def ask(
        self,
        method: str,
        tail: str = "",
        body: Any = None,
        headers: Sequence[tuple[str, str]] = (),
        *,
        signed: bool = True,
    ) -> ServerAnswer:
        """Send a request to a path below the zone's mappings. `body` is bytes, or a value to be
        sent as JSON."""
        content = body if body is None or isinstance(body, bytes) else msgspec.json.encode(body)
        given = () if content is None else JSON
        path = self.zone.path + tail
        return self.zone.send(Probe(method, path, content, (*given, *headers), signed))

    def ask_at(
        self, path: str, headers: Sequence[tuple[str, str]] = (), *, signed: bool = True
    ) -> ServerAnswer:
        """GET of a path below the base URL."""
        return self.zone.send(Probe("GET", path, None, tuple(headers), signed))

    def get(self, address: str) -> ServerAnswer:
        """GET of a mapping."""
        return self.ask("GET", f"/{_segment(address)}")

    def delete(self, address: str) -> ServerAnswer:
        """DELETE of a mapping of this run."""
        return self.ask("DELETE", f"/{_segment(address)}")

    def put(
        self,
        address: str,
        body: Any,
        headers: Sequence[tuple[str, str]] = (),
    ) -> ServerAnswer:
        """PUT of a mapping."""
        return self.ask("PUT", f"/{_segment(address)}", body, headers)

    def made(self, address: str, vendor: str = VENDOR, region: str = REGION) -> dict[str, Any]:
        """A new mapping, as the server answers it. Raises NotTried if it was not created."""
        answer = self.put(address, item(address, vendor, region))
        if not answer.succeeded or not isinstance(answer.result, dict):
            raise NotTried(f"a mapping that it needs was not created: {answer.status}")
        return answer.result

    # Comparisons

    def expect(self, answer: ServerAnswer, expected: Expected) -> None:
        """Compare an answer."""
        redact = self.zone.redactor
        answered = redact.answer(answer)
        wanted = {"status": shown(expected.status), "body": shown(expected.body)}
        if expected.headers:
            wanted["headers"] = {name: shown(each) for name, each in expected.headers.items()}
            answered["headers"] = {name: answered["headers"].get(name) for name in expected.headers}
        else:
            del answered["headers"]
        same = expected.fits(answer.status, answer.headers, answer.json)
        self._note(redact.text(str(answer.probe)), redact.json(wanted), answered, same=same)

    def compare(self, what: str, expected: Any, answered: Any) -> None:
        """Compare a value that was taken from answers."""
        redact = self.zone.redactor
        wanted = redact.json(shown(expected))
        self._note(what, wanted, redact.json(answered), same=matches(expected, answered))

    def note_no_answer(self) -> None:
        """The connection broke instead of an answer."""
        self._note("the last request of the check", "an answer", "none", same=False)

    # Conditions

    def need(self, condition: bool, reason: str) -> None:
        """Raise NotTried unless the condition holds."""
        if not condition:
            raise NotTried(reason)

    def need_a_zone_of_our_own(self) -> None:
        """Raise NotTried if the zone has other mappings: a server that reads the request in another
        way could delete them."""
        self.need(
            self.zone.has_only_ours(),
            "the zone has other mappings, which a server could delete if it read the request"
            " another way",
        )

    def spend_wrong_credential(self, fact: str) -> None:
        """Count an unknown credential. Raises NotTried if there were enough."""
        self.need(
            self.zone.wrong_credentials < MOST_WRONG_CREDENTIALS,
            f"{MOST_WRONG_CREDENTIALS} wrong credentials were sent already; use --only {fact}",
        )
        self.zone.wrong_credentials += 1

    def _need_room(self, count: int) -> None:
        there = len(self.zone.before)
        self.need(there + count <= _MOST_MAPPINGS, f"the zone has {there:,} mappings")

    def _note(self, request: str, expected: Any, answered: Any, *, same: bool) -> None:
        self.compared.append(Compared(request, _cut(expected), _cut(answered), same))


def _segment(address: str) -> str:
    return quote(address, safe=":%")


def _cut(value: Any) -> Any:
    """A JSON value; the beginning of its text if it is very long."""
    text = msgspec.json.encode(value).decode()
    return value if len(text) <= _LONGEST_BODY else text[:_LONGEST_BODY] + "..."
