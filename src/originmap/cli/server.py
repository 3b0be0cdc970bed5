"""The server that a command is about: one on this machine, by its database, or one by its URL.

Both take the same requests, those of the API. On this machine they go over the socket beside the
database to the server that owns it; without one, this process opens the database and answers them
itself. Who may open either is the operator.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

import msgspec

from originmap.client.local import answered
from originmap.domain.errors import OriginmapError, StoreOwned, StoreUnusable
from originmap.operator_socket import socket_path
from originmap.settings import outbound_environment
from originmap.store.database_name import MEMORY
from originmap.store.postgres_url import is_postgres

if TYPE_CHECKING:
    from originmap.bootstrap_local import LocalApplication

NATIVE = "/originmap/v1"
CLOUDFLARE = "/client/v4"
_ZONES = NATIVE + "/zones/"

_SECONDS = 60.0
_STREAM_SECONDS = 300.0  # between two chunks: a large database is sorted before the first
_PATIENCE_SECONDS = 5.0
_RESTART_SECONDS = 30.0
_PER_PAGE = 50
_CHUNK = 1 << 16
_NO_RIGHTS = (401, 403)
_NO_ROUTE, _UNREADABLE_TOKEN = 7003, 6003
RIGHTS = "ORIGINMAP_TOKEN or --token-file needs a token made with --access everything"

Query = Iterable[tuple[str, str]]
Sink = Callable[[bytes], object]


class ServerRefused(OriginmapError):
    """The server refused a request, or cannot be asked."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


class Server(Protocol):
    """Answers requests of the API. Everything raises OriginmapError."""

    def ask(self, method: str, path: str, query: Query = (), body: Any = None) -> Any:
        """The `result` of the answer, as JSON has it."""

    def stream(self, path: str, query: Query, sink: Sink) -> None:
        """Have `sink` called with each chunk of a file."""

    def watch(self, path: str) -> Any:
        """As `ask`, of the running server alone, which knows its nodes. Waits for one that is
        being started again."""


def of_zone(zone: str, what: str) -> str:
    """A path of ours about a zone, by its id or name."""
    return f"{_ZONES}{quote(zone, safe='')}/{what}"


def pages(server: Server, path: str, query: Query = ()) -> Iterator[dict[str, Any]]:
    """All entries of a list that comes in pages."""
    number, found = 1, list[dict[str, Any]]()
    while number == 1 or len(found) == _PER_PAGE:
        page = [("page", str(number)), ("per_page", str(_PER_PAGE))]
        found = server.ask("GET", path, [*query, *page])
        yield from found
        number += 1


class LocalServer:
    """A database on this machine, and the server that owns it, if there is one. A context
    manager: what it opened it closes."""

    def __init__(self, db: str, *, new: bool = False) -> None:
        """Only with `new` the database may be one that is not there yet."""
        self._db = db
        self._new = new
        self._is_file = db != MEMORY and not is_postgres(db)
        self._open = contextlib.ExitStack()
        self._application: LocalApplication | None = None

    def __enter__(self) -> "LocalServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def ask(self, method: str, path: str, query: Query = (), body: Any = None) -> Any:
        """As `Server.ask`."""
        content = None if body is None else msgspec.json.encode(body)
        return self._by_owner(method, _target(path, query), content, None)

    def stream(self, path: str, query: Query, sink: Sink) -> None:
        """As `Server.stream`."""
        self._by_owner("GET", _target(path, query), None, sink)

    def watch(self, path: str) -> Any:
        """As `Server.watch`."""
        if not self._is_file:
            raise ServerRefused("nodes report to a server", "name it by --server")
        deadline = time.monotonic() + _RESTART_SECONDS
        while True:
            # The database itself is not opened: a server that starts would find it taken.
            with contextlib.suppress(_NobodyListens):
                return self._over_socket("GET", path, None, None)
            if time.monotonic() > deadline:
                why = f"no server runs on {self._db}"
                raise ServerRefused(why, "nodes report to one: start it")
            time.sleep(0.2)

    def _by_owner(self, method: str, target: str, body: bytes | None, sink: Sink | None) -> Any:
        """The answer of the process that owns the database: of this one where no other does."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            if self._application is None and self._is_file:
                with contextlib.suppress(_NobodyListens):
                    return self._over_socket(method, target, body, sink)
            try:
                return self._in_process(method, target, body or b"", sink)
            except StoreOwned:
                # The owner is starting or stopping: its socket is not there yet, or no longer.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _in_process(self, method: str, target: str, body: bytes, sink: Sink | None) -> Any:
        if self._application is None:
            self._check_there()
            # A command that asks a running server does without all this.
            from originmap.bootstrap_local import local_application

            self._application = self._open.enter_context(local_application(self._db))
        status, answer = self._application.answer(method, target, body, sink or _nowhere)
        return None if status == 200 and sink else _result(answer)

    def _over_socket(self, method: str, target: str, body: bytes | None, sink: Sink | None) -> Any:
        """The answer of the server. Raises _NobodyListens. A server that got the request is not
        sent it twice: it may have done what it says."""
        path, seconds = socket_path(Path(self._db)), _STREAM_SECONDS if sink else _SECONDS
        with contextlib.ExitStack() as stack:
            with _failures(self._db):
                answer = stack.enter_context(answered(path, method, target, body, seconds))
                if sink is None or answer.status != 200:
                    return _result(answer.read())
            while True:
                with _failures(self._db):
                    chunk = answer.read1(_CHUNK)
                if not chunk:
                    return None
                sink(chunk)

    def _check_there(self) -> None:
        if self._db == MEMORY or not (self._new or not self._is_file or _is_there(self._db)):
            hint = "originmap zone create, token create and serve make a new database"
            raise StoreUnusable(self._db, "there is no such file", hint)


class RemoteServer:
    """A server, by its URL."""

    def __init__(self, url: str, token: str) -> None:
        # Not above: it takes longer to load than a request over the socket takes as a whole.
        from originmap.client.connection import Connection, Credentials

        self._connection: Connection = Connection(
            url, Credentials(token), environment=outbound_environment()
        )

    def __enter__(self) -> "RemoteServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, query: Query = (), body: Any = None) -> Any:
        """As `Server.ask`."""
        with _refusals(path):
            answer = self._connection.ask(method, _target(path, query), body=body)
            return msgspec.json.decode(answer.result)

    def stream(self, path: str, query: Query, sink: Sink) -> None:
        """As `Server.stream`."""
        with _refusals(path):
            for chunk in self._connection.stream(_target(path, query)):
                sink(chunk)

    def watch(self, path: str) -> Any:
        """As `Server.watch`."""
        return self.ask("GET", path)


class _NobodyListens(Exception):
    """No server owns the database, or one that is starting or stopping."""


@contextlib.contextmanager
def _failures(db: str) -> Iterator[None]:
    """What goes wrong with the socket beside a database. Raises _NobodyListens."""
    try:
        yield
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        raise _NobodyListens from None
    except PermissionError as error:
        raise ServerRefused(
            f"the server's socket beside {db} belongs to another user",
            "run this as the user that runs the server",
        ) from error
    except (OSError, HTTPException, msgspec.MsgspecError, RecursionError) as error:
        raise ServerRefused(f"the server broke off: {error}", "look before trying again") from error


@contextlib.contextmanager
def _refusals(path: str) -> Iterator[None]:
    """What goes wrong with a request for `path` to a server elsewhere, with what to do about it."""
    from originmap.client.errors import ClientError, Redirected, Refused, Unreachable

    try:
        yield
    except Unreachable as error:
        hint = error.remedy or "is it running, and is --server right?"
        raise ServerRefused(str(error), hint) from error
    except Redirected as error:
        hint = f"set --server to {error.base}" if error.base else "is --server right?"
        raise ServerRefused(str(error), hint) from error
    except Refused as error:
        hint = ""
        if error.status in _NO_RIGHTS or _UNREADABLE_TOKEN in error.codes:
            hint = RIGHTS
        elif _NO_ROUTE in error.codes:
            hint = "is --server right? It is the URL of the server, without /client/v4"
            if path.startswith(_ZONES):
                hint = "originmap zone list shows the zones that the token may read"
        raise ServerRefused(str(error), hint) from error
    except (ClientError, msgspec.MsgspecError, RecursionError) as error:
        raise ServerRefused(str(error), "is --server right?") from error


class _Error(msgspec.Struct):
    message: str
    hint: str = ""


class _Answer(msgspec.Struct):
    success: bool
    errors: list[_Error]
    result: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


def _result(body: bytes) -> Any:
    """What an answer came to. Raises ServerRefused, msgspec.MsgspecError."""
    answer = _ANSWER.decode(body)
    if not answer.success:
        raise ServerRefused(answer.errors[0].message, answer.errors[0].hint)
    return answer.result


def _target(path: str, query: Query) -> str:
    given = urlencode(list(query))
    return f"{path}?{given}" if given else path


def _nowhere(chunk: bytes) -> None:
    pass


def _is_there(db: str) -> bool:
    """Whether a file may be there; where nobody can look, opening it says why."""
    try:
        Path(db).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
