"""Authentication and TLS of a connection to PostgreSQL: user, password, certificates.

It checks that files exist and are readable, so that an error names the wrong parameter; errors of
the driver name only a file.
"""

import contextlib
import getpass
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from originmap.domain.errors import StoreUnusable
from originmap.file_mode import others_may_access
from originmap.store.postgres.parameters import Parameters

_BY_URL = (
    "sslrootcert", "sslcrl", "sslcert", "sslkey", "sslpassword",
    "ssl_min_protocol_version", "ssl_max_protocol_version",
)  # fmt: skip
_WEAK = ("disable", "allow", "prefer")
_ROOT = "~/.postgresql/root.crt"
_SYSTEM = "system"
_SET_ROOT = (
    "set sslrootcert=/path/of/ca.pem, or sslrootcert=system with sslmode=verify-full for the "
    "certificates of this system"
)


def driver_arguments(given: Parameters) -> dict[str, object]:
    """Return the driver's arguments, except for the server. Raises StoreUnusable."""
    mode = _mode(given)
    _check_files(given, mode)
    files = {name: given.value(name) for name in _BY_URL if given.value(name)}
    system = given.value("sslrootcert") == _SYSTEM
    options = given.value("options") if given.settings is None else ""
    return {
        # The driver accepts these only in a URL.
        "dsn": f"postgresql:///?{urlencode(files, quote_via=quote)}" if files else None,
        "user": given.value("user") or _own_name(given),
        "password": given.value("password") or None,
        "passfile": given.value("passfile") or None,
        "database": given.value("dbname") or None,
        "ssl": _system_context(given) if system else mode,
        "direct_tls": given.value("sslnegotiation") == "direct",
        "target_session_attrs": given.value("target_session_attrs", "any"),
        "krbsrvname": given.value("krbsrvname") or None,
        "gsslib": given.value("gsslib", "gssapi"),
        # Other settings are set after the connection: poolers accept few in the first message.
        "server_settings": {"options": options} if options else None,
    }


def _mode(given: Parameters) -> str:
    system = given.value("sslrootcert") == _SYSTEM
    mode = given.value("sslmode", "verify-full" if system else "prefer")
    if system and mode != "verify-full":
        raise given.refused("sslrootcert", "it needs sslmode=verify-full", _SET_ROOT)
    if all(host is None or host.startswith("/") for host, _ in given.servers):
        return "disable"  # local sockets do not use TLS
    root = given.given.get("sslrootcert")
    if root is not None and mode in _WEAK and not root.source.startswith("PG"):
        why = f"it has no effect with sslmode={mode}"
        raise given.refused("sslrootcert", why, "add sslmode=verify-full")
    if given.value("sslnegotiation") == "direct" and mode in _WEAK:
        why = "it needs sslmode=require, verify-ca or verify-full"
        raise given.refused("sslnegotiation", why, "set one of them, or remove the parameter")
    return mode


def _check_files(given: Parameters, mode: str) -> None:
    if "passfile" in given.given and not given.value("password"):
        _check_readable(given, "passfile")
        if others_may_access(Path(given.value("passfile")).stat().st_mode):
            hint = f"chmod 600 {given.value('passfile')}"
            raise given.refused("passfile", "other users can read it", hint)
    if mode == "disable":
        return
    if mode not in _WEAK:
        _check_authorities(given, mode)
    for name in ("sslcert", "sslkey"):
        if given.value(name):
            _check_readable(given, name)
    if given.value("sslcert"):
        with _naming_parameter(given, "sslcert", "is not a certificate in PEM format with its key"):
            _load_own(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), given)


def _check_authorities(given: Parameters, mode: str) -> None:
    root = given.value("sslrootcert")
    if not root and mode.startswith("verify") and not _is_file(_ROOT):
        why = f"the root certificate {_ROOT} is missing: set sslrootcert"
        raise given.refused("sslmode", why, _SET_ROOT)
    for name in ("sslrootcert", "sslcrl"):
        if given.value(name) and (name, root) != ("sslrootcert", _SYSTEM):
            _check_readable(given, name)
            with _naming_parameter(given, name, "is not in PEM format"):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_verify_locations(given.value(name))


def _check_readable(given: Parameters, name: str) -> None:
    try:
        with Path(given.value(name)).open("rb"):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        raise given.refused(name, why, "set it to a file that this user can read") from None


@contextlib.contextmanager
def _naming_parameter(given: Parameters, name: str, problem: str) -> Any:
    try:
        yield
    except (OSError, ValueError):  # an SSLError is an OSError; its text names no file
        raise given.refused(name, f"the file {problem}", "check the file") from None


def _is_file(path: str) -> bool:
    try:
        return Path(path).expanduser().is_file()
    except (OSError, RuntimeError):  # no home directory
        return False


def _system_context(given: Parameters) -> ssl.SSLContext:
    """Return a TLS context with the system's certificates, which the driver has no parameter
    for."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["postgresql"])
    if given.value("sslcrl"):
        context.load_verify_locations(given.value("sslcrl"))
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    if given.value("sslcert"):
        _load_own(context, given)
    context.minimum_version = _version(given, "ssl_min_protocol_version", "TLSv1.2")
    if given.value("ssl_max_protocol_version"):
        context.maximum_version = _version(given, "ssl_max_protocol_version", "")
    return context


def _load_own(context: ssl.SSLContext, given: Parameters) -> None:
    key = given.value("sslkey") or str(Path("~/.postgresql/postgresql.key").expanduser())
    key_file = key if _is_file(key) else None
    context.load_cert_chain(given.value("sslcert"), key_file, lambda: given.value("sslpassword"))


def _version(given: Parameters, name: str, default: str) -> ssl.TLSVersion:
    return ssl.TLSVersion[given.value(name, default).replace(".", "_")]


def _own_name(given: Parameters) -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        reason = "no user is set, and the user of this process has no name"
        raise StoreUnusable(
            given.redacted_url, reason, "write postgresql://USER@host/name, or set PGUSER"
        ) from None
