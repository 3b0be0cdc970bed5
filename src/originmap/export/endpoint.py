"""Upstream addresses: host and port of each colo, which are not part of the topology.

The operator sets a template with {colo} in it, or the address of each colo. Only a host and a port
are accepted, so that formats can write them without escaping.
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
"""IP addresses by host name."""


class Endpoint(NamedTuple):
    """A host, by name or address, and a port."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """The text in the form of a URL, with an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, not a name."""
        return ":" in self.host or _is_digits(self.host)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The endpoint of every colo: from `colos`, or else from `template`, which can be empty.
    `addresses` has the resolved host names; other names are used as they are."""

    template: str = ""
    colos: Mapping[str, Endpoint] = field(default_factory=dict)
    addresses: Addresses = field(default_factory=dict)

    def of(self, code: str) -> Endpoint:
        """The endpoint of a colo. Raises InvalidExport if there is neither one nor a template."""
        endpoint = self.colos.get(code)
        if endpoint is not None:
            return endpoint
        if not self.template:
            raise InvalidExport(
                f"no upstream address for colo {code}",
                f"add --upstream {code}=HOST:PORT, or a template such as"
                " '{colo}.cache.example.net:80'",
            )
        return parse(self.template.replace(TEMPLATE_FIELD, code.lower()))

    def all(self, code: str, *, a_family: bool = False) -> tuple[Endpoint, ...]:
        """The endpoints of a colo: one for each address if its name has several addresses; with
        `a_family`, only if it has several of one family. Raises InvalidExport."""
        named = self.of(code)
        addresses = self.addresses.get(named.host, ())
        of_six = sum(":" in address for address in addresses)
        most = max(of_six, len(addresses) - of_six) if a_family else len(addresses)
        if most < 2:
            return (named,)
        return tuple(Endpoint(address, named.port) for address in addresses)


_HINT = "use a template such as {colo}.cache.example.net:80, or IAD=192.0.2.10:80 for one colo"


def parse(text: str) -> Endpoint:
    """Parse host:port, with an IPv6 address in brackets. Raises InvalidExport."""
    match = _ENDPOINT.fullmatch(text.lower())
    port = None if match is None else number.port(match[3])
    if match is None or port is None:
        raise _refused(text)
    host = match[1] or match[2]
    if match[1]:
        valid = _is_address(AF_INET6, host)
    elif _is_digits(host):
        valid = _is_address(AF_INET, host)
    else:
        valid = len(host) <= _LONGEST_NAME and _NAME.fullmatch(host) is not None
    if not valid:
        raise _refused(text)
    return Endpoint(host, port)


def read(values: Iterable[str]) -> Endpoints:
    """Parse upstream addresses: templates and CODE=host:port, in any number and order.

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
    return InvalidExport(f"not an upstream address: {text!r}", _HINT)
