"""Options that several commands share; the help texts are in `settings`."""

import datetime
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from originmap.cli import credentials, option_types
from originmap.domain import number
from originmap.domain.access.rate_limit import parse
from originmap.domain.encoding import NotText, decode
from originmap.domain.history.change import LAST_REVISION
from originmap.domain.nats_url import is_nats, parse_nats
from originmap.domain.server_url import InvalidServerURL
from originmap.domain.server_url import parse as parse_server_url
from originmap.settings import (
    AnySettings,
    PublishSettings,
    default_of,
    help_of,
    nats_credentials,
    settings_token,
    state_folder,
)
from originmap.store.database_name import check_name

F = TypeVar("F", bound=Callable[..., object])

SHORTEST_HISTORY, LONGEST_HISTORY = 0.000_001, 36_500
"""Days that changes can be kept."""
_LONGEST_TIME = 999_999


def colo(command: F) -> F:
    """--colo"""
    return click.option(
        "--colo",
        default=default_of("colo"),
        show_default=True,
        help=help_of("colo"),
        envvar="ORIGINMAP_COLO",
        callback=_checked_colo,
    )(command)


def _checked_colo(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not re.fullmatch("[A-Z0-9]{2,10}", value):
        raise click.BadParameter(f"{value!r}: 2 to 10 capital letters and digits, as in SIN")
    return value


def log_requests(command: F) -> F:
    """--log-requests / --no-log-requests"""
    return click.option(
        "--log-requests/--no-log-requests",
        default=default_of("log_requests"),
        help=help_of("log_requests"),
        envvar="ORIGINMAP_LOG_REQUESTS",
    )(command)


def metrics(command: F) -> F:
    """--metrics / --no-metrics"""
    return click.option(
        "--metrics/--no-metrics",
        default=default_of("metrics"),
        show_default=True,
        help=help_of("metrics"),
        envvar="ORIGINMAP_METRICS",
    )(command)


def ui(command: F) -> F:
    """--ui / --no-ui"""
    return click.option(
        "--ui/--no-ui",
        default=default_of("ui"),
        show_default=True,
        help=help_of("ui"),
        envvar="ORIGINMAP_UI",
    )(command)


def rate_limit(command: F) -> F:
    """--rate-limit"""
    return click.option(
        "--rate-limit",
        default=default_of("rate_limit"),
        show_default=True,
        metavar="LIMIT",
        help=help_of("rate_limit"),
        envvar="ORIGINMAP_RATE_LIMIT",
        callback=_checked_rate_limit,
    )(command)


def enable_v1(default: bool) -> Callable[[F], F]:
    """--enable-v1 / --disable-v1"""
    return click.option(
        "--enable-v1/--disable-v1", default=default, show_default=True, help=help_of("enable_v1")
    )


def own_vendors(command: F) -> F:
    """--own-vendors / --no-own-vendors"""
    return click.option(
        "--own-vendors/--no-own-vendors",
        default=default_of("own_vendors"),
        show_default=True,
        help=help_of("own_vendors"),
        envvar="ORIGINMAP_OWN_VENDORS",
    )(command)


def _checked_rate_limit(ctx: click.Context, param: click.Parameter, value: str) -> str:
    try:
        parse(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}; for example 1200/300,200/1") from None
    return value


def private_hooks(default: bool) -> Callable[[F], F]:
    """--private-hooks / --no-private-hooks"""
    return click.option(
        "--private-hooks/--no-private-hooks",
        default=default,
        show_default=True,
        help=help_of("private_hooks"),
        envvar="ORIGINMAP_PRIVATE_HOOKS",
    )


def db(command: F) -> F:
    """--db, required"""
    return click.option(
        "--db",
        required=True,
        metavar="PATH",
        help=help_of("db"),
        envvar="ORIGINMAP_DB",
        callback=checked_db,
    )(command)


def checked_path(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty path, which is most often a variable that is not set."""
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty; give a path")
    return value


def checked_db(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse what names no database that there can be. Raises StoreUnusable."""
    if checked_path(ctx, param, value) is not None:
        check_name(value or "")
    return value


def is_no_file(path: Path) -> bool:
    """Whether something else is there, a folder or a device, that no file may take the place of."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def ranges(command: F) -> F:
    """--ranges, by default the folder `ranges` in the user's state folder"""
    return click.option(
        "--ranges",
        default=lambda: _in_state_folder("ranges"),
        show_default="ranges in the user's state folder",
        metavar="FOLDER",
        help=help_of("ranges"),
        envvar="ORIGINMAP_RANGES",
        callback=_checked_ranges,
    )(command)


def _in_state_folder(name: str) -> str | None:
    folder = state_folder()
    return None if folder is None else str(folder / name)


def _checked_ranges(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """Without a home folder there are no ranges, which only commands that need them refuse."""
    return checked_path(ctx, param, value) or ""


def state(help_: str, name: str = "edge") -> Callable[[F], F]:
    """--state; without it, the folder `name` in the user's state folder, None without a home"""
    return click.option(
        "--state",
        default=lambda: _in_state_folder(name),
        show_default=f"{name} in the user's state folder",
        metavar="FOLDER",
        help=help_,
        callback=checked_path,
    )


def follow(of: type[AnySettings]) -> Callable[[F], F]:
    """--follow with its companions: --token-file, --nats-credentials, --nats-certificate, --name,
    --copy-limit"""

    def follow_(command: F) -> F:
        for option in reversed(_follow_options(of)):
            command = option(command)
        return command

    return follow_


def _follow_options(of: type[AnySettings]) -> tuple[Callable[[Any], Any], ...]:
    return (
        click.option(
            "--follow",
            default=default_of("follow"),
            metavar="URL",
            help=help_of("follow", of),
            envvar="ORIGINMAP_FOLLOW",
            callback=checked_url if of is PublishSettings else _checked_follow,
        ),
        token_file("--follow"),
        *_nats_options(of),
        click.option(
            "--name",
            default="",
            show_default="host name",
            help=help_of("name", of),
            envvar="ORIGINMAP_NAME",
            callback=_checked_name,
        ),
        click.option(
            "--copy-limit",
            default=default_of("copy_limit"),
            show_default=True,
            metavar="GIB",
            type=option_types.Amount(0.001, 1 << 20),
            help=help_of("copy_limit", of),
            envvar="ORIGINMAP_COPY_LIMIT",
        ),
    )


def _nats_options(of: type[AnySettings]) -> tuple[Callable[[Any], Any], ...]:
    return (
        click.option(
            "--nats-credentials",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help=help_of("nats_credentials", of),
            envvar="ORIGINMAP_NATS_CREDENTIALS_FILE",
            callback=_nats_credentials,
        ),
        click.option(
            "--nats-certificate",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False),
            help=help_of("nats_certificate", of),
            envvar="ORIGINMAP_NATS_CERTIFICATE",
            callback=lambda ctx, param, value: value or "",
        ),
    )


def _checked_name(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Refuse what servers refuse as the name of a follower."""
    from originmap.service.feed.followers import NAME

    if value and not NAME.fullmatch(value):
        raise click.BadParameter(f"{value!r}: up to 64 letters, digits and _ . : -")
    return value


def token_file(whose: str) -> Callable[[F], F]:
    """--token-file, which goes with another option"""
    return click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=f"File with the token for {whose}. Default: the variable ORIGINMAP_TOKEN.",
        envvar="ORIGINMAP_TOKEN_FILE",
    )


def given_token(file: Path | None) -> str:
    """The token in a file or in ORIGINMAP_TOKEN, "" if there is none. It is not an option,
    because other users of the machine can see the options of a process."""
    if file is None:
        return credentials.checked("ORIGINMAP_TOKEN", settings_token())
    return credentials.checked(f"--token-file {file}", _secret("--token-file", file))


def _nats_credentials(ctx: click.Context, param: click.Parameter, file: Path | None) -> str:
    """The content of the file, or of the variable without one."""
    return nats_credentials() if file is None else _secret("--nats-credentials", file)


def _secret(option: str, file: Path) -> str:
    try:
        return decode(file.read_bytes()).strip()
    except OSError as error:
        raise click.UsageError(f"{option} {file}: {error.strerror}") from None
    except NotText as error:
        raise click.UsageError(f"{option} {file}: {error}") from None


def token(file: Path | None, followed: str = "") -> str:
    """The token for --follow; "" if NATS servers are followed, whose credentials are others."""
    found = "" if is_nats(followed) else given_token(file)
    if not found and not is_nats(followed):
        raise click.UsageError(
            "--follow needs a token of the primary, made there with originmap token create"
            " --access replicate for serve, or edge for edge: put it into ORIGINMAP_TOKEN, or into"
            " a file that --token-file names"
        )
    return found


def checked_url(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Refuse what is not the URL of a server."""
    if not value:
        return value
    try:
        return str(parse_server_url(value))
    except InvalidServerURL as error:
        raise click.BadParameter(f"{error}\n  a URL is like http://192.0.2.1:8787") from None


def _checked_follow(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not is_nats(value):
        return checked_url(ctx, param, value)
    try:
        return str(parse_nats(value))
    except InvalidServerURL as error:
        raise click.BadParameter(
            f"{error}\n  a URL is like nats://192.0.2.1:4222/ORIGINMAP"
        ) from None


def history(command: F) -> F:
    """--history-days, --history-changes"""
    for name, kind in (
        ("history_changes", option_types.Whole(1, LAST_REVISION)),
        ("history_days", option_types.Amount(SHORTEST_HISTORY, LONGEST_HISTORY)),
    ):
        command = click.option(
            f"--{name.replace('_', '-')}",
            default=default_of(name),
            show_default=True,
            type=kind,
            help=help_of(name),
            envvar=f"ORIGINMAP_{name.upper()}",
        )(command)
    return command


def duration(name: str, default: str, help_: str) -> Callable[[F], F]:
    """An option that is a time, as in 30s, 5m or 1h; the command gets seconds"""
    return click.option(
        name, default=default, show_default=True, metavar="TIME", help=help_, callback=_seconds
    )


def _seconds(ctx: click.Context, param: click.Parameter, value: str) -> float:
    unit = value[-1:] if value[-1:] in _UNITS else ""
    found = number.decimal(value.removesuffix(unit), 0, _LONGEST_TIME)
    if found is None:
        raise click.BadParameter(f"{number.shown(value)}: a time like 30s, 5m or 1h")
    return found * _UNITS[unit]


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def as_json(command: F) -> F:
    """--json"""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def shown(moment: datetime.datetime) -> str:
    """A moment in UTC as it is printed: 2026-08-22T15:17:05Z"""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
