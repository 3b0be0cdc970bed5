"""Where the upper tiers listen: the address of each colo, which no topology has.

The operator says it by a template with {colo} in it, or colo by colo. What is accepted here is a
host and a port and nothing else, so that formats can write it down as it is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from originmap.domain import number
from originmap.domain.errors import InvalidExport

TEMPLATE_FIELD = "{colo}"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_CODE = re.compile("[A-Z0-9]{2,10}")
_ENDPOINT = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):([0-9]{1,5})")
_LONGEST_NAME = 253

Addresses = Mapping[str, tuple[str, ...]]
"""Addresses by name."""


class Endpoint(NamedTuple):
    """A host, by name or address, and a port."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """As in a URL: an IPv6 address is in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_address(self) -> bool:
        """Whether the host is an address, not a name to look up."""
        return ":" in self.host or _is_digits(self.host)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The endpoint of every colo, by `colos` or else by `template`, which may be empty. `addresses`
    has those of names, as whoever can look them up found them; others stay names."""

    template: str = ""
    colos: Mapping[str, Endpoint] = field(default_factory=dict)
    addresses: Addresses = field(default_factory=dict)

    def of(self, code: str) -> Endpoint:
        """Where a colo listens. Raises InvalidExport where nobody said."""
        known = self.colos.get(code)
        if known is not None:
            return known
        if not self.template:
            raise InvalidExport(f"where does {code} listen? Nobody said.", _HINT)
        return parse(self.template.replace(TEMPLATE_FIELD, code.lower()))

    def all(self, code: str, *, a_family: bool = False) -> tuple[Endpoint, ...]:
        """Where a colo listens, one by one where its name has several addresses; with `a_family`
        several of a family. Raises InvalidExport."""
        named = self.of(code)
        addresses = self.addresses.get(named.host, ())
        of_six = sum(":" in address for address in addresses)
        most = max(of_six, len(addresses) - of_six) if a_family else len(addresses)
        if most < 2:
            return (named,)
        return tuple(Endpoint(address, named.port) for address in addresses)


_HINT = "give upstream as {colo}.cache.example.net:80, or as IAD=192.0.2.10:80 for one colo"


def parse(text: str) -> Endpoint:
    """The endpoint that `text` names: host:port, an IPv6 address in brackets.

    Raises InvalidExport.
    """
    match = _ENDPOINT.fullmatch(text.lower())
    port = None if match is None else number.port(match[3])
    if match is None or port is None:
        raise _refused(text)
    host = match[1] or match[2]
    if match[1]:
        known = _is_address(AF_INET6, host)
    elif _is_digits(host):
        known = _is_address(AF_INET, host)
    else:
        known = len(host) <= _LONGEST_NAME and _NAME.fullmatch(host) is not None
    if not known:
        raise _refused(text)
    return Endpoint(host, port)


def read(values: Iterable[str]) -> Endpoints:
    """The endpoints that an operator named: a template, CODE=host:port, or several of these.

    Raises InvalidExport.
    """
    template, colos = "", {}
    for value in values:
        code, separator, address = value.strip().partition("=")
        if TEMPLATE_FIELD in value:
            parse(value.strip().replace(TEMPLATE_FIELD, "xxx"))
            template = value.strip()
        elif separator and _CODE.fullmatch(code.upper()):
            colos[code.upper()] = parse(address)
        else:
            raise _refused(value)
    return Endpoints(template, colos)


def _is_digits(host: str) -> bool:
    return host.replace(".", "").isdecimal()


def _is_address(family: int, text: str) -> bool:
    try:
        inet_pton(family, text)
    except OSError:
        return False
    return True


def _refused(text: str) -> InvalidExport:
    return InvalidExport(f"not the address of an upper tier: {text!r}", _HINT)
