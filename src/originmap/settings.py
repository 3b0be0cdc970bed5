"""The settings of a server and of an agent: name, default and help of each.

The command line offers each setting as an option and as an environment variable (`--port`,
`ORIGINMAP_PORT`). No other module reads the environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

try:
    import pwd
except ImportError:  # Windows
    pwd = None  # type: ignore[assignment]


def _setting(default: Any, help_: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": help_}, repr=not secret)


_NATS_CREDENTIALS = (
    "File with credentials for NATS: a .creds file, the seed of an nkey, USER:PASSWORD, or a token."
)
_NATS_CERTIFICATE = "File with client certificate and key in PEM form, for tls:// servers of NATS."


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a server."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8787, "Port to listen on; 0 picks a free port.")
    db: str = _setting(
        "",
        "Database: an SQLite file or a postgresql:// URL; :memory: stores nothing on disk.",
        secret=True,
    )
    read_from: str = _setting(
        "",
        "Standby of the PostgreSQL database, a postgresql:// URL, that serves reads.",
        secret=True,
    )
    read_from_max_lag: float = _setting(
        10.0, "Maximum lag of the standby in seconds; beyond it, the primary serves all reads."
    )
    ranges: str = _setting("", "Folder of the vendors' published IP ranges.")
    colo: str = _setting("XXX", "Colo of this server, an IATA code; the last part of cf-ray.")
    enable_v1: bool = _setting(False, "Serve the deprecated v1 routes.")
    own_vendors: bool = _setting(
        False, "Accept and list own vendors and regions on Cloudflare's routes too."
    )
    rate_limit: str = _setting(
        "off",
        "Rate limit: off, cloudflare (1,200 requests in 5 minutes per user and 200 per second per "
        "address), or REQUESTS/SECONDS[,REQUESTS/SECONDS].",
    )
    slow_guessing: bool = _setting(
        True, "Slow down, then refuse, addresses that send many invalid credentials."
    )
    follow: str = _setting(
        "",
        "URL of the primary to replicate, or nats://HOST:PORT/STREAM; a replica serves its data "
        "and refuses writes.",
    )
    token: str = _setting("", "Token of the primary, created with --access replicate.", secret=True)
    nats_credentials: str = _setting("", _NATS_CREDENTIALS, secret=True)
    nats_certificate: str = _setting("", _NATS_CERTIFICATE)
    name: str = _setting("", "Name of this replica in the primary's list of followers.")
    copy_limit: float = _setting(
        16.0, "Maximum size of a full copy of the primary, in GiB after decompression."
    )
    history_days: float = _setting(90.0, "Days to keep changes in the history.")
    history_changes: int = _setting(5_000_000, "Maximum number of changes to keep in the history.")
    private_hooks: bool = _setting(
        False, "Allow webhooks to private addresses and with http://; off protects this network."
    )
    xds: str = _setting(
        "", "Address to serve Envoy's discovery services (xDS) over gRPC on, as HOST:PORT."
    )
    xds_cert: str = _setting("", "Certificate of the xDS server, in PEM format; needs --xds-key.")
    xds_key: str = _setting("", "Private key of the xDS server, in PEM format.")
    xds_client_ca: str = _setting(
        "",
        "CA certificates in PEM format: xDS clients must have a certificate by one of them, and "
        "then need no token.",
    )
    metrics: bool = _setting(True, "Serve metrics at /metrics, without authentication.")
    ui: bool = _setting(True, "Serve the web page at /ui/.")
    log_requests: bool = _setting(True, "Log each request to stderr as a line of JSON.")


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """The settings of an edge agent."""

    follow: str = _setting("", "URL of the server to follow, or nats://HOST:PORT/STREAM; required.")
    token: str = _setting("", "Token of the server, created with --access edge.", secret=True)
    nats_credentials: str = _setting("", _NATS_CREDENTIALS, secret=True)
    nats_certificate: str = _setting("", _NATS_CERTIFICATE)
    name: str = _setting("", "Name of this node in the server's list of followers.")
    copy_limit: float = _setting(
        16.0, "Maximum size of a full copy of the server's data, in GiB after decompression."
    )
    colo: str | None = _setting(None, "Colo of this node.")
    zones: tuple[str, ...] = _setting((), "Only these zones, by ID or name.")
    upstreams: tuple[str, ...] = _setting(
        (), "Addresses of upper tiers, instead of the topology's."
    )
    state: str = _setting(
        "", "Folder for the state of the agent: the last revision and the files written."
    )
    interval: float = _setting(1.0, "Minimum number of seconds between two reloads.")
    verify: float = _setting(10.0, "Minutes between two verifications of the files in place.")


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """The settings of a publisher."""

    follow: str = _setting("", "URL of the server whose changes are published; required.")
    token: str = _setting(
        "", "Token of the server, created with --access edge or replicate.", secret=True
    )
    nats_credentials: str = _setting("", _NATS_CREDENTIALS, secret=True)
    nats_certificate: str = _setting("", _NATS_CERTIFICATE)
    name: str = _setting("", "Name of this publisher in the server's list of followers.")
    copy_limit: float = _setting(
        16.0, "Maximum size of a full copy of the server's data, in GiB after decompression."
    )
    servers: str = _setting("", "NATS servers: nats://HOST:PORT[,HOST:PORT...], or tls://.")
    stream: str = _setting("ORIGINMAP", "Name of the stream and of the bucket of snapshots.")
    keep: int = _setting(1_000_000, "Maximum number of messages in the stream.")
    replicas: int = _setting(1, "Number of NATS servers that store a new stream.")


AnySettings = Settings | EdgeSettings | PublishSettings


class Variable(NamedTuple):
    """An environment variable that is no option of a command."""

    name: str
    scope: str  # what it applies to
    help: str


VARIABLES = (
    Variable(
        "ORIGINMAP_TOKEN",
        "requests to the server of --follow, --server and context add, and of verify without the "
        "variables for --api",
        "Token. There is no option for it, because other users of the machine can see options; "
        "--token-file names a file instead.",
    ),
    Variable(
        "ORIGINMAP_NATS_CREDENTIALS",
        "connections to NATS servers",
        "Credentials, the content of a file of --nats-credentials.",
    ),
    Variable(
        "CLOUDFLARE_API_TOKEN",
        "requests to the API of --api",
        "API token, as Cloudflare's own tools read it.",
    ),
    Variable(
        "CLOUDFLARE_EMAIL",
        "requests to the API of --api",
        "Email address of a global API key; needs CLOUDFLARE_API_KEY.",
    ),
    Variable(
        "CLOUDFLARE_API_KEY",
        "requests to the API of --api",
        "Global API key; needs CLOUDFLARE_EMAIL.",
    ),
    Variable(
        "XDG_STATE_HOME",
        "state folder",
        "Absolute path of the folder above it. Default: .local/state in HOME, or in the home "
        "folder of the user.",
    ),
    Variable(
        "XDG_CONFIG_HOME",
        "configuration folder",
        "Absolute path of the folder above it. Default: .config in HOME, or in the home folder of "
        "the user.",
    ),
    Variable(
        "HTTP_PROXY",
        "requests to http:// servers",
        "Proxy: http://HOST:PORT or http://USER:PASSWORD@HOST:PORT.",
    ),
    Variable("HTTPS_PROXY", "requests to https:// servers", "Proxy, in the same form."),
    Variable(
        "ALL_PROXY",
        "requests to all servers",
        "Proxy, in the same form, if the variable of the scheme is not set.",
    ),
    Variable(
        "NO_PROXY",
        "requests that would use a proxy",
        "Comma-separated servers to ask directly: *, domain names (subdomains are included), IP "
        "addresses, prefixes such as 10.0.0.0/8, HOST:PORT for one port.",
    ),
    Variable(
        "SSL_CERT_FILE",
        "requests to https:// servers",
        "File of CA certificates in PEM format that replaces the default ones; needed for a "
        "private CA.",
    ),
    Variable(
        "SSL_CERT_DIR",
        "requests to https:// servers",
        "Colon-separated folders of CA certificates, prepared by openssl rehash, if SSL_CERT_FILE "
        "is not set.",
    ),
    Variable(
        "SSLKEYLOGFILE",
        "requests to https:// servers",
        "File for the keys of TLS connections, to debug them.",
    ),
    Variable("TMPDIR", "checks of originmap edge", "Folder for temporary files."),
)
"""The variables of commands and their options aside; docs/settings.md lists both."""


def help_of(name: str, of: type[AnySettings] = Settings) -> str:
    """The help text of a setting."""
    return next(str(f.metadata["help"]) for f in fields(of) if f.name == name)


def default_of(name: str, of: type[AnySettings] = Settings) -> Any:
    """The default of a setting."""
    return next(f.default for f in fields(of) if f.name == name)


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of HOST:PORT or [HOST]:PORT."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def bytes_of(gibibytes: float) -> int:
    """Convert GiB to bytes."""
    return int(gibibytes * (1 << 30))


def settings_token(environment: Mapping[str, str] = os.environ) -> str:
    """The token that a replica or an agent sends to its primary; "" if the variable is not set."""
    return environment.get("ORIGINMAP_TOKEN", "").strip()


def nats_credentials(environment: Mapping[str, str] = os.environ) -> str:
    """The credentials for NATS servers in the environment; "" if the variable is not set."""
    return environment.get("ORIGINMAP_NATS_CREDENTIALS", "").strip()


def postgres_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment variables of libpq, such as PGPASSWORD."""
    return {name: value for name, value in environment.items() if name.startswith("PG")}


def command_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of the operator's commands: without ORIGINMAP_ variables, which may be
    secrets, and with the sbin folders in PATH, because Debian installs servers there."""
    result = {
        name: value for name, value in environment.items() if not name.startswith("ORIGINMAP")
    }
    result["PATH"] = environment.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    return result


def state_folder(
    environment: Mapping[str, str] = os.environ, user: int | None = None
) -> Path | None:
    """The folder for a user's state files (XDG Base Directory Specification, 0.8). None for a user
    without a home folder."""
    return _folder("XDG_STATE_HOME", ".local/state", environment, user)


def config_folder(
    environment: Mapping[str, str] = os.environ, user: int | None = None
) -> Path | None:
    """The folder for a user's configuration files, by the same rules as `state_folder`."""
    return _folder("XDG_CONFIG_HOME", ".config", environment, user)


def _folder(
    variable: str, under_home: str, environment: Mapping[str, str], user: int | None
) -> Path | None:
    base = environment.get(variable, "")
    # The specification: a relative path is invalid and ignored.
    if os.path.isabs(base):
        return Path(base) / "originmap"
    home = environment.get("HOME", "")
    if not os.path.isabs(home):
        home = _home_of_user(environment, user)
    return Path(home) / under_home / "originmap" if home else None


def _home_of_user(environment: Mapping[str, str], user: int | None) -> str:
    """The home folder from the user database, on Windows from USERPROFILE; "" if it is not
    known."""
    if pwd is None:
        home = environment.get("USERPROFILE", "")
    else:
        try:
            home = pwd.getpwuid(os.getuid() if user is None else user).pw_dir
        except KeyError:
            return ""
    return home if os.path.isabs(home) else ""


def outbound_environment(environment: Mapping[str, str] = os.environ) -> Mapping[str, str]:
    """The environment that configures outbound requests: proxies and certificates."""
    return environment


CLOUDFLARE_API = "https://api.cloudflare.com/client/v4"
"""The default API of the mappings-as-code commands."""


API_VARIABLES = ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY")


def api_credentials(environment: Mapping[str, str] = os.environ) -> tuple[str, str, str]:
    """Token, email address and key, from the variables that Cloudflare's own tools read; "" for
    a variable that is not set."""
    token, email, key = (environment.get(name, "").strip() for name in API_VARIABLES)
    return token, email, key
