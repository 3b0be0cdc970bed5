"""The connection parameters of PostgreSQL, in libpq's form (PostgreSQL documentation, 34.1.2).

They come from the URL, from a service file, and from libpq's environment variables, in this order
of precedence. An unsupported parameter is an error that names it, so that no setting is ignored
silently.
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
"""Supported parameters and their values: any, a list, or a range of numbers."""
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
    """The value of a parameter, and its source for error messages."""

    value: str
    source: str


class Parameters(NamedTuple):
    """All parameters of a connection. `redacted_url` is the URL without its password."""

    redacted_url: str
    given: Mapping[str, Given]
    servers: tuple[tuple[str | None, int], ...]  # host None: local sockets

    def value(self, name: str, default: str = "") -> str:
        """Return the value of a parameter."""
        given = self.given.get(name)
        return given.value if given else default

    def number(self, name: str, default: int) -> int:
        """Return the value of a numeric parameter."""
        return int(self.value(name) or default)

    @property
    def settings(self) -> dict[str, str] | None:
        """The settings in `options`; None if it has anything else, which only the server can
        parse."""
        words = [re.sub(r"\\(.)", r"\1", word) for word in _WORD.findall(self.value("options"))]
        settings = {}
        while words:
            word = words.pop(0)
            if word == "-c" and words:
                word += words.pop(0)
            name, equals, value = word[2:].partition("=")
            if word[:2] not in ("-c", "--") or not equals or not _SETTING.fullmatch(name):
                return None
            settings[name.replace("-", "_")] = value
        return settings

    def of_standby(self) -> "Parameters":
        """Return these parameters for connections to standbys only. Raises StoreUnusable if they
        ask for another kind of server."""
        name = "target_session_attrs"
        if self.value(name, "standby") != "standby":
            why = "reads are served from a standby"
            raise self.refused(name, why, f"remove it, or set {name}=standby")
        return self._replace(given={**self.given, name: Given("standby", name)})

    def refused(self, name: str, why: str, hint: str) -> StoreUnusable:
        """Return an error about a parameter."""
        source, value = self.given[name].source, self.given[name].value
        return StoreUnusable(self.redacted_url, f"{source}={value}: {why}", hint)


def parameters_of(url: str, parts: DatabaseURL, environment: Mapping[str, str]) -> Parameters:
    """Collect all parameters of a connection to `url`. Raises StoreUnusable, which names the
    invalid parameter or variable."""
    redacted_url = redacted(url)
    own = {"user": parts.user, "password": parts.password, "dbname": parts.database}
    named = {"dbname" if k == "database" else k: v for k, v in parts.parameters.items()}
    if "host" in named:
        own["port"] = ",".join(port for _, port in parts.hosts).strip(",")
    # As in libpq, a parameter overrides what is before the ?.
    given = {k: Given(v, k) for k, v in {**{k: v for k, v in own.items() if v}, **named}.items()}
    by_variable = {
        name: Given(environment[variable], variable)
        for name, variable in _VARIABLES.items()
        if environment.get(variable)
    }
    service = given.get("service") or by_variable.get("service")
    if service is not None:
        file = environment.get("PGSERVICEFILE", "")
        values = read_service(service.value, service.source, file, redacted_url)
        of_service = {k: Given(v, f"{k} of the service {service.value}") for k, v in values.items()}
        given = {**of_service, **given}
    given = {**by_variable, **given}
    for name, (value, source) in given.items():
        _check(redacted_url, name, value, source)
    if "ssl" in given and "sslmode" not in parts.parameters:
        given["sslmode"] = Given("require", "ssl")
    servers = _servers(_hosts(parts, named) or _listed(given), given.get("port"), redacted_url)
    return Parameters(redacted_url, given, servers)


def _check(redacted_url: str, name: str, value: str, source: str) -> None:
    values = _VALUES.get(name)
    if values is None:
        hint = "for supported parameters see docs/operations.md"
        reason = f"the parameter {source} is not supported: remove it"
        raise StoreUnusable(redacted_url, reason, hint)
    if values[0] == _ANY or (value.lower() if name == "client_encoding" else value) in values:
        return
    if " from 1 to " in values[0]:
        most = _NUMBERS.get(name, _MOST)
        if len(value) <= _DIGITS and number.whole(value, 1, most) is not None:
            return
    one_of = "use" if len(values) == 1 else "use one of"
    reason = f"{source}={value} is not supported: {one_of} {', '.join(values)}"
    hint = "remove it for the default; for supported values see docs/operations.md"
    raise StoreUnusable(redacted_url, reason, hint)


def _hosts(parts: DatabaseURL, named: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the hosts before the ?, unless parameters override them or their ports."""
    if "host" in named:
        return ()
    return tuple((name, "") for name, _ in parts.hosts) if "port" in named else parts.hosts


def _listed(given: Mapping[str, Given]) -> tuple[tuple[str, str], ...]:
    """Return the hosts of a `host` parameter: names without ports, IPv6 addresses with or without
    brackets."""
    host = given.get("host")
    if host is None:
        return ()
    names = [name.strip("[]") for name in host.value.split(",")]
    if not all(names):
        raise unreadable("a host in its list is empty")
    return tuple((name, "") for name in names)


def _servers(
    hosts: tuple[tuple[str, str], ...], port: Given | None, redacted_url: str
) -> tuple[tuple[str | None, int], ...]:
    ports = port.value.split(",") if port else [""]
    for each in ports:
        source = port.source if port else ""
        reason = f"{source} is not a number from 1 to 65535"
        check_port(
            each, StoreUnusable(redacted_url, reason, f"set {source} to a number, or remove it")
        )
    if len(ports) not in (1, len(hosts) or 1):
        raise unreadable("the number of ports differs from the number of hosts")
    servers: list[tuple[str | None, int]] = []
    for n, (name, own) in enumerate(hosts or (("", ""),)):
        servers.append((name or None, int(own or ports[n if len(ports) > 1 else 0] or 5432)))
    return tuple(servers)
