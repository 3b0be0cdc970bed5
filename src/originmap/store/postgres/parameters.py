"""The parameters of a connection to PostgreSQL, as libpq has them (its documentation, 34.1.2).

They come from the URL, from a service, and from the variables that libpq reads, in this order.
Each is used, or refused by its name: what has no effect would surprise somebody.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from originmap.domain import number
from originmap.domain.errors import StoreUnusable
from originmap.store.postgres.service_file import read_service
from originmap.store.postgres.url import DatabaseURL, check_port, redacted, unreadable

_ANY = ""
_VALUES: dict[str, tuple[str, ...]] = {
    "application_name": (_ANY,),
    "channel_binding": ("disable", "prefer"),
    "client_encoding": ("auto", "utf8", "utf-8", "unicode"),
    "connect_timeout": ("seconds from 1 to 600",),
    "dbname": (_ANY,),
    "fallback_application_name": (_ANY,),
    "gssdelegation": ("0",),
    "gssencmode": ("disable", "prefer"),
    "gsslib": ("gssapi",),
    "host": (_ANY,),
    "keepalives": ("0", "1"),
    "keepalives_count": ("a number from 1 to 32000",),
    "keepalives_idle": ("a number from 1 to 32000",),
    "keepalives_interval": ("a number from 1 to 32000",),
    "krbsrvname": (_ANY,),
    "load_balance_hosts": ("disable",),
    "options": (_ANY,),
    "passfile": (_ANY,),
    "password": (_ANY,),
    "port": (_ANY,),
    "search_path": (_ANY,),
    "service": (_ANY,),
    "ssl": ("true",),
    "ssl_max_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "ssl_min_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "sslcert": (_ANY,),
    "sslcertmode": ("allow",),
    "sslcompression": ("0",),
    "sslcrl": (_ANY,),
    "sslkey": (_ANY,),
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "sslpassword": (_ANY,),
    "sslrootcert": (_ANY,),
    "sslsni": ("1",),
    "target_session_attrs": (
        "any", "read-write", "read-only", "primary", "standby", "prefer-standby",
    ),
    "user": (_ANY,),
}  # fmt: skip
"""What is used, with the values that can be: all, these, or numbers as described."""
_WORD = re.compile(r"(?:[^\s\\]|\\.)+")
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NUMBERS = {"connect_timeout": 600}
_MOST, _DIGITS = 32_000, 5
_VARIABLES = {
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "dbname": "PGDATABASE",
    "gssencmode": "PGGSSENCMODE",
    "gsslib": "PGGSSLIB",
    "host": "PGHOST",
    "krbsrvname": "PGKRBSRVNAME",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "password": "PGPASSWORD",
    "port": "PGPORT",
    "require_auth": "PGREQUIREAUTH",
    "requirepeer": "PGREQUIREPEER",
    "service": "PGSERVICE",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcert": "PGSSLCERT",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "user": "PGUSER",
}


class Given(NamedTuple):
    """The value of a parameter, and what gave it, as an error names it."""

    value: str
    where: str


class Parameters(NamedTuple):
    """All that is given for a connection. `shown` is the URL without its password."""

    shown: str
    given: Mapping[str, Given]
    servers: tuple[tuple[str | None, int], ...]  # no host: the sockets of this machine

    def value(self, name: str, default: str = "") -> str:
        """The value of a parameter."""
        found = self.given.get(name)
        return found.value if found else default

    def number(self, name: str, default: int) -> int:
        """The value of a parameter that is a number."""
        return int(self.value(name) or default)

    @property
    def settings(self) -> dict[str, str] | None:
        """The settings in `options`; None where there is something else in it, which only the
        server understands."""
        words = [re.sub(r"\\(.)", r"\1", word) for word in _WORD.findall(self.value("options"))]
        found = {}
        while words:
            word = words.pop(0)
            if word == "-c" and words:
                word += words.pop(0)
            name, equals, value = word[2:].partition("=")
            if word[:2] not in ("-c", "--") or not equals or not _SETTING.fullmatch(name):
                return None
            found[name.replace("-", "_")] = value
        return found

    def refused(self, name: str, why: str, hint: str) -> StoreUnusable:
        """The error about a parameter that is given."""
        where, value = self.given[name].where, self.given[name].value
        return StoreUnusable(self.shown, f"{where}={value}: {why}", hint)


def parameters_of(url: str, parts: DatabaseURL, environment: Mapping[str, str]) -> Parameters:
    """Everything that is given for a connection to `url`. Raises StoreUnusable, which names a
    parameter or variable that cannot be used."""
    shown = redacted(url)
    own = {"user": parts.user, "password": parts.password, "dbname": parts.database}
    named = {"dbname" if k == "database" else k: v for k, v in parts.parameters.items()}
    if "host" in named:
        own["port"] = ",".join(port for _, port in parts.hosts).strip(",")
    # As in libpq, a parameter replaces what stands before the ?.
    given = {k: Given(v, k) for k, v in {**{k: v for k, v in own.items() if v}, **named}.items()}
    by_variable = {
        name: Given(environment[variable], variable)
        for name, variable in _VARIABLES.items()
        if environment.get(variable)
    }
    service = given.get("service") or by_variable.get("service")
    if service is not None:
        file = environment.get("PGSERVICEFILE", "")
        found = read_service(service.value, service.where, file, shown)
        of_service = {k: Given(v, f"{k} of the service {service.value}") for k, v in found.items()}
        given = {**of_service, **given}
    given = {**by_variable, **given}
    for name, (value, where) in given.items():
        _check(shown, name, value, where)
    if "ssl" in given and "sslmode" not in parts.parameters:
        given["sslmode"] = Given("require", "ssl")
    servers = _servers(_hosts(parts, named) or _listed(given), given.get("port"), shown)
    return Parameters(shown, given, servers)


def _check(shown: str, name: str, value: str, where: str) -> None:
    values = _VALUES.get(name)
    if values is None:
        hint = "docs/operations.md lists those that are used"
        reason = f"the parameter {where} is not supported: leave it out"
        raise StoreUnusable(shown, reason, hint)
    if values[0] == _ANY or (value.lower() if name == "client_encoding" else value) in values:
        return
    if " from 1 to " in values[0]:
        most = _NUMBERS.get(name, _MOST)
        if len(value) <= _DIGITS and number.whole(value, 1, most) is not None:
            return
    one_of = "write" if len(values) == 1 else "write one of"
    reason = f"{where}={value} is not supported: {one_of} {', '.join(values)}"
    hint = "leave it out for the default; docs/operations.md says what is used"
    raise StoreUnusable(shown, reason, hint)


def _hosts(parts: DatabaseURL, named: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The hosts before the ?, as far as no parameter replaces them or their ports."""
    if "host" in named:
        return ()
    return tuple((name, "") for name, _ in parts.hosts) if "port" in named else parts.hosts


def _listed(given: Mapping[str, Given]) -> tuple[tuple[str, str], ...]:
    """Hosts that are a parameter: names without ports, an IPv6 address with brackets or without."""
    host = given.get("host")
    if host is None:
        return ()
    names = [name.strip("[]") for name in host.value.split(",")]
    if not all(names):
        raise unreadable("a host in its list is empty")
    return tuple((name, "") for name in names)


def _servers(
    hosts: tuple[tuple[str, str], ...], port: Given | None, shown: str
) -> tuple[tuple[str | None, int], ...]:
    ports = port.value.split(",") if port else [""]
    for each in ports:
        where = port.where if port else ""
        reason = f"{where} is not a number from 1 to 65535"
        check_port(each, StoreUnusable(shown, reason, f"give {where} a number, or leave it out"))
    if len(ports) not in (1, len(hosts) or 1):
        raise unreadable("it has another number of ports than of hosts")
    found: list[tuple[str | None, int]] = []
    for n, (name, own) in enumerate(hosts or (("", ""),)):
        found.append((name or None, int(own or ports[n if len(ports) > 1 else 0] or 5432)))
    return tuple(found)
