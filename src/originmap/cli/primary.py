"""The server whose rollout is asked for: by the admin socket beside its database, or by its URL."""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
import msgspec
from click.core import ParameterSource

from originmap import databases
from originmap.cli import options
from originmap.cli.administer import ServerRefused, administer, ask_server
from originmap.client.connection import Connection, Credentials
from originmap.client.errors import ClientError, Redirected, Refused, Unreachable
from originmap.service.operate.rollouts import ShowRollout, TakeStep
from originmap.service.rollout_json import RolloutJSON
from originmap.settings import outbound_environment

F = TypeVar("F", bound=Callable[..., Any])

Asked = ShowRollout | TakeStep

_ROUTE = "/originmap/v1/rollout"
_RESTART_SECONDS = 30.0
_NO_RIGHTS = (401, 403)
_NO_ROUTE, _UNREADABLE_TOKEN = 7003, 6003
_RIGHTS = "ORIGINMAP_TOKEN or --token-file needs a token made with --access everything"


class Primary(Protocol):
    """Answers with the rollout, None where there was none. Raises OriginmapError."""

    def ask(self, asked: Asked) -> RolloutJSON | None:
        """Ask once: of the server, or of the database itself where none runs."""

    def watch(self) -> RolloutJSON | None:
        """How the rollout stands, from the server alone, which knows the nodes. Waits for one
        that is being started again."""


class LocalPrimary:
    """A database on this machine, and the server that owns it."""

    def __init__(self, db: str) -> None:
        self._db = db

    def ask(self, asked: Asked) -> RolloutJSON | None:
        """As `Primary.ask`."""
        return _shown(administer(self._db, asked))

    def watch(self) -> RolloutJSON | None:
        """As `Primary.watch`."""
        if not databases.is_file(self._db):
            raise click.UsageError("nodes report to a server: name it by --url")
        deadline = time.monotonic() + _RESTART_SECONDS
        while True:
            # The database itself is not opened: a server that starts would find it taken.
            try:
                rows = ask_server(self._db, ShowRollout())
            except ServerRefused:
                if time.monotonic() > deadline:
                    raise
            else:
                if rows is not None:
                    return _shown(rows)
                if time.monotonic() > deadline:
                    why = f"no server runs on {self._db}"
                    raise ServerRefused(why, "nodes report to one: start it")
            time.sleep(0.2)


class RemotePrimary:
    """A server, by its URL."""

    def __init__(self, url: str, token: str) -> None:
        self._connection = Connection(url, Credentials(token), environment=outbound_environment())

    def ask(self, asked: Asked) -> RolloutJSON | None:
        """As `Primary.ask`."""
        try:
            if isinstance(asked, TakeStep):
                answer = self._connection.ask("POST", _ROUTE, body=asked.asked)
            else:
                answer = self._connection.ask("GET", _ROUTE)
            return msgspec.json.decode(answer.result, type=RolloutJSON | None)
        except Unreachable as error:
            raise ServerRefused(
                str(error), error.remedy or "is it running, and is --url right?"
            ) from error
        except Redirected as error:
            hint = f"set --url to {error.base}" if error.base else "is --url right?"
            raise ServerRefused(str(error), hint) from error
        except Refused as error:
            refused = error.status in _NO_RIGHTS or _UNREADABLE_TOKEN in error.codes
            hint = _RIGHTS if refused else ""
            if _NO_ROUTE in error.codes:
                hint = "is --url right? It is the URL of the server, without /client/v4"
            raise ServerRefused(str(error), hint) from error
        except (ClientError, msgspec.MsgspecError, RecursionError) as error:
            raise ServerRefused(str(error), "is --url right?") from error

    def watch(self) -> RolloutJSON | None:
        """As `Primary.watch`."""
        return self.ask(ShowRollout())


def primary(command: F) -> F:
    """--db, --url and --token-file, as the argument `server`"""

    @functools.wraps(command)
    def given(db: str | None, url: str, token_file: Path | None, **rest: Any) -> Any:
        return command(server=_primary(db, url, token_file), **rest)

    with_options: Any = given
    for option in (
        options.token_file("--url"),
        click.option(
            "--url",
            default="",
            metavar="URL",
            help="The server, from anywhere; its token is in ORIGINMAP_TOKEN.",
            envvar="ORIGINMAP_URL",
            callback=options.checked_url,
        ),
        click.option(
            "--db",
            metavar="PATH",
            help="The database, on the server's own machine.",
            envvar="ORIGINMAP_DB",
            callback=options.checked_db,
        ),
    ):
        with_options = option(with_options)
    return with_options  # type: ignore[no-any-return]


def _primary(db: str | None, url: str, token_file: Path | None) -> Primary:
    context = click.get_current_context()
    typed = [
        name
        for name, value in (("db", db), ("url", url))
        if value and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if db and url and len(typed) != 1:
        raise click.UsageError("give one of --db and --url")
    if url and typed != ["db"]:
        token = options.given_token(token_file)
        if not token:
            raise click.UsageError(f"--url needs a token: {_RIGHTS}")
        return RemotePrimary(url, token)
    if not db:
        raise click.UsageError("give --db on the server's own machine, or --url")
    return LocalPrimary(db)


def _shown(rows: list[dict[str, Any]]) -> RolloutJSON | None:
    return msgspec.convert(rows[0], RolloutJSON) if rows else None
