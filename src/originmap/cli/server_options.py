"""--db, --server and --context: which server a command is for."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from originmap.cli import options
from originmap.cli.failure import print_slow, print_wait
from originmap.client.local_server import LocalApplication, LocalServer
from originmap.domain.errors import StoreUnusable
from originmap.settings import outbound_environment
from originmap.store.database_name import MEMORY
from originmap.store.postgres.url import is_postgres

if TYPE_CHECKING:
    from originmap.client.remote_server import RemoteServer

F = TypeVar("F", bound=Callable[..., object])


def server(command: F) -> F:
    """The options, as the argument `server`"""
    return _with_options(command, new=False)


def new_server(command: F) -> F:
    """The options of `server`, for commands that create a database"""
    return _with_options(command, new=True)


def _with_options(command: F, *, new: bool) -> F:
    @functools.wraps(command)
    def given(
        db: str | None,
        url: str | None,
        context: str | None,
        token_file: Path | None,
        **rest: Any,
    ) -> Any:
        with _server(db, url, context, token_file, new=new) as server:
            return command(server=server, **rest)

    with_options: Any = given
    for option in (
        options.token_file("--server"),
        click.option(
            "--context",
            metavar="NAME",
            help="Server to use, by its name; see originmap context list.",
            envvar="ORIGINMAP_CONTEXT",
        ),
        click.option(
            "--server",
            "url",
            metavar="URL",
            help="Server to use, by its URL; the token is in ORIGINMAP_TOKEN.",
            envvar="ORIGINMAP_SERVER",
            callback=options.checked_url,
        ),
        click.option(
            "--db",
            metavar="PATH",
            help="Server to use, by its database on this machine.",
            envvar="ORIGINMAP_DB",
            callback=options.checked_db,
        ),
    ):
        with_options = option(with_options)
    return with_options  # type: ignore[no-any-return]


def _server(
    db: str | None, url: str | None, context: str | None, token_file: Path | None, *, new: bool
) -> "LocalServer | RemoteServer":
    named = {"db": db, "url": url, "context": context}
    chosen = _chosen({name: value for name, value in named.items() if value})
    if chosen == "db":
        assert db is not None
        if db == MEMORY:
            hint = "give --db the path of a file, or a postgresql:// URL"
            raise StoreUnusable(db, "nothing is kept in it", hint)
        return LocalServer(db, _open_here, is_file=not is_postgres(db), new=new)
    # Not above: it takes longer to load than a request over the socket takes as a whole.
    from originmap.client.remote_server import RIGHTS, RemoteServer

    token, environment = options.given_token(token_file), outbound_environment()
    if chosen == "url":
        assert url is not None
        if not token:
            raise click.UsageError(f"--server needs a token: {RIGHTS}")
        return RemoteServer(url, token, print_wait, print_slow, environment)
    from originmap.cli.contexts import read_contexts

    known = read_contexts()
    name = context or known.current
    if not name:
        raise click.UsageError(
            "give --db on the server's own machine, --server, or name a server for good:"
            " originmap context add"
        )
    found = known.called(name)
    given = token if token_file else found.token
    return RemoteServer(found.server, given, print_wait, print_slow, environment)


def _open_here(db: str) -> AbstractContextManager[LocalApplication]:
    # A command that asks a running server does without all this.
    from originmap.bootstrap_local import local_application

    return local_application(db)


def _chosen(given: dict[str, str]) -> str:
    """The option that counts, "" for none: one on the command line before those of the
    environment."""
    context = click.get_current_context()
    typed = [n for n in given if context.get_parameter_source(n) is ParameterSource.COMMANDLINE]
    names = typed or list(given)
    if len(names) > 1:
        raise click.UsageError("give one of --db, --server and --context")
    return names[0] if names else ""
