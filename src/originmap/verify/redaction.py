"""Removes from requests and answers what must not leave the machine of the user.

Placeholders are numbered, so that equal values stay equal. Times are shifted by one constant: their
form, their order and the time between them stay.
"""

import datetime
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from originmap.verify import addresses
from originmap.verify.probe import UNKNOWN_ZONE, Probe, ServerAnswer

_SHOWN_HEADERS = (
    "allow",
    "cf-ray",
    "content-type",
    "etag",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
)
_LONGEST_BODY = 4000
_START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
_ID = re.compile(
    r"(?<![0-9A-Fa-f])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?!\w)"
)
_SECRET = re.compile(r"(?<![\w-])[\w-]{36,}(?![\w-])")
_V4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")
_V6 = re.compile(r"(?<![\w:])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?!\w)")
_RAY = re.compile(r"[0-9a-f]{16}-[A-Z0-9]{2,10}")
_READ_ONLY = {
    *addresses.REFUSED,
    *addresses.REFUSED_FORMS,
    *addresses.TAKEN,
    addresses.ZERO_PADDED,
}


class Redactor:
    """Replaces secrets, IDs, e-mail addresses, and IP addresses that are not for documentation."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """`secrets` are known texts, each with the placeholder for it."""
        self._secrets = {text: name for text, name in secrets.items() if text}
        self._numbers: dict[str, dict[str, int]] = {"id": {}, "ip": {}, "ray": {}}
        self._shift: datetime.timedelta | None = None

    def text(self, text: str) -> str:
        """A text without them."""
        for secret, name in self._secrets.items():
            text = text.replace(secret, name)
        text = _EMAIL.sub("<email>", text)
        text = _ID.sub(lambda found: self._numbered("id", found[0]), text)
        text = _SECRET.sub("<secret>", text)
        text = _TIME.sub(self._shifted, text)
        text = _V6.sub(lambda found: self._address(found[0]), text)
        return _V4.sub(lambda found: self._address(found[0]), text)

    def json(self, value: Any) -> Any:
        """A JSON value without them. Of a mapping whose address is replaced, nothing stays."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(each) for each in value]
        if not isinstance(value, dict):
            return value
        address = value.get("origin_ip")
        if isinstance(address, str) and self.text(address) != address:
            hidden = {name: f"<{name}>" for name in value}
            return hidden | {"origin_ip": self.text(address)}
        return {self.text(name): self.json(each) for name, each in value.items()}

    def request(self, probe: Probe) -> dict[str, Any]:
        """A request, as it is recorded."""
        body = None if probe.body is None else self._body(probe.body)
        return {
            "method": probe.method,
            "path": self.text(probe.path),
            "signed": probe.signed,
            "body": body,
        }

    def answer(self, answer: ServerAnswer) -> dict[str, Any]:
        """An answer, as it is recorded."""
        headers = {
            name: self.ray(value) if name == "cf-ray" else self.text(value)
            for name, value in sorted(answer.headers.items())
            if name in _SHOWN_HEADERS
        }
        return {"status": answer.status, "headers": headers, "body": self.json(answer.json)}

    def ray(self, value: str) -> str:
        """A request ID, as another one of the same form."""
        if not _RAY.fullmatch(value):
            return f"<{len(value)} characters>"
        return f"{self._number('ray', value):016x}-XXX"

    def _body(self, body: bytes) -> str:
        if len(body) > _LONGEST_BODY:
            return f"<{len(body)} bytes>"
        return self.text(body.decode("utf-8", "replace"))

    def _numbered(self, kind: str, value: str) -> str:
        if value == UNKNOWN_ZONE:
            return value
        return f"<{kind}-{self._number(kind, value)}>"

    def _number(self, kind: str, value: str) -> int:
        known = self._numbers[kind]
        return known.setdefault(value, len(known) + 1)

    def _shifted(self, found: re.Match[str]) -> str:
        try:
            moment = datetime.datetime.fromisoformat(found[1] + "+00:00")
            if self._shift is None:
                self._shift = _START - moment
            return f"{moment + self._shift:%Y-%m-%dT%H:%M:%S}{found[2] or ''}{found[3]}"
        except (ValueError, OverflowError):
            return "<time>"

    def _address(self, text: str) -> str:
        stripped = text.rstrip(".:") if not text.endswith("::") else text
        if stripped in _READ_ONLY or _is_documentation(stripped):
            return text
        if ":" in stripped and _parsed(stripped) is None:
            return text
        return self._numbered("ip", stripped) + text[len(stripped) :]


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_documentation(text: str) -> bool:
    parsed = _parsed(text)
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        if mapped is None:
            return parsed in addresses.DOCUMENTATION_V6
        parsed = mapped
    return parsed is not None and any(parsed in each for each in addresses.DOCUMENTATION)
