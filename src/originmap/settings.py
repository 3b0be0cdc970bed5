"""The settings of a server and of an agent: name, default and help of each.

The command line offers each setting as an option and as an environment variable (`--port`,
`ORIGINMAP_PORT`). No other module reads the environment.
"""

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


def _setting(default: Any, help_: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": help_}, repr=not secret)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a server."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8787, "Port to listen on; 0 takes a free one.")
    db: str = _setting(
        "", "Database: a file, or postgresql://…; :memory: keeps nothing.", secret=True
    )
    ranges: str = _setting("", "Folder that keeps the vendors' published IP ranges.")
    colo: str = _setting("XXX", "This node's colo, an IATA code; shown in cf-ray.")
    enable_v1: bool = _setting(False, "Serve the deprecated v1 routes too.")
    rate_limit: str = _setting(
        "off",
        "Refuse callers over a rate: off, cloudflare (1,200 in 5 minutes a user and 200 a second "
        "an address), or your own as REQUESTS/SECONDS[,REQUESTS/SECONDS].",
    )
    slow_guessing: bool = _setting(
        True, "Slow down, then refuse, addresses that send many bad credentials."
    )
    follow: str = _setting(
        "", "Be a replica of the server at this URL: serve what it has, refuse writes."
    )
    token: str = _setting(
        "", "The primary's token for a replica, made with --access replicate.", secret=True
    )
    name: str = _setting("", "What this replica is called among the primary's followers.")
    copy_limit: float = _setting(16.0, "GiB that a full copy of the primary may take, as sent.")
    history_days: float = _setting(90.0, "Days that changes are kept in the history.")
    history_changes: int = _setting(5_000_000, "Changes that are kept in the history.")
    metrics: bool = _setting(True, "Serve the numbers of this server at /metrics, to anybody.")
    log_requests: bool = _setting(True, "Log a line of JSON for each request to stderr.")


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """The settings of an edge agent."""

    follow: str = _setting("", "The server to follow, by its URL.")
    token: str = _setting("", "A token of that server, made with --access edge.", secret=True)
    name: str = _setting("", "What this node is called among the server's followers.")
    copy_limit: float = _setting(16.0, "GiB that a full copy of the primary may take, as sent.")
    colo: str | None = _setting(None, "The colo that this node is in.")
    zones: tuple[str, ...] = _setting((), "Only this zone, an id or a name.")
    upstreams: tuple[str, ...] = _setting((), "Where the upper tiers listen.")
    state: str = _setting("", "Folder of the agent's own: the last state, and what was done.")
    interval: float = _setting(1.0, "Seconds between two reloads, at least.")
    verify: float = _setting(10.0, "Minutes after which what is served is compared again.")


def help_of(name: str) -> str:
    """The help text of a setting."""
    return next(str(f.metadata["help"]) for f in fields(Settings) if f.name == name)


def default_of(name: str) -> Any:
    """The default of a setting."""
    return next(f.default for f in fields(Settings) if f.name == name)


def bytes_of(gibibytes: float) -> int:
    """Convert GiB to bytes."""
    return int(gibibytes * (1 << 30))


def settings_token(environment: Mapping[str, str] = os.environ) -> str:
    """The token that a replica or an agent sends to its primary; "" if the variable is not set."""
    return environment.get("ORIGINMAP_TOKEN", "").strip()


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
    if base.startswith("/"):
        return Path(base) / "originmap"
    home = environment.get("HOME", "")
    if not home.startswith("/"):
        home = _home_of_user(os.getuid() if user is None else user)
    return Path(home) / under_home / "originmap" if home else None


def _home_of_user(user: int) -> str:
    """The home folder from the user database; "" if the user is not in it."""
    try:
        home = pwd.getpwuid(user).pw_dir
    except KeyError:
        return ""
    return home if home.startswith("/") else ""


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
