"""A database on this machine, and the server that owns it, if one runs.

Requests go to the server over the socket beside the database. If no server runs, this process
opens the database and answers them itself. File permissions protect both.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Protocol

import msgspec

from originmap.client.server import Query, ServerRefused, Sink, target
from originmap.client.unix_socket import answered
from originmap.domain.errors import StoreOwned, StoreUnusable
from originmap.operator_socket import USE_SERVER, obstacle, socket_path

_SECONDS = 60.0
_STREAM_SECONDS = 300.0  # between two chunks: a large database is sorted before the first
_PATIENCE_SECONDS = 5.0
_BLIND_SECONDS = 1.0  # without a socket, the owner is more likely a server that stays
_RESTART_SECONDS = 30.0
_CHUNK = 1 << 16


class LocalApplication(Protocol):
    """The application over a database that this process has open."""

    def answer(self, method: str, target: str, body: bytes, sink: Sink) -> tuple[int, bytes]:
        """The status and the body of the response; a streamed body goes to `sink` in chunks."""


OpenHere = Callable[[str], contextlib.AbstractContextManager[LocalApplication]]


class LocalServer:
    """Sends requests to the server that owns a database, or answers them from the database. A
    context manager, which closes the database."""

    def __init__(self, db: str, open_here: OpenHere, *, is_file: bool, new: bool = False) -> None:
        """`open_here` opens the database in this process. With `new`, a file that does not exist is
        created."""
        self._db = db
        self._open_here = open_here
        self._new = new
        self._is_file = is_file
        self._obstacle = obstacle(socket_path(Path(db))) if is_file else ""
        self._open = contextlib.ExitStack()
        self._application: LocalApplication | None = None

    def __enter__(self) -> "LocalServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def ask(self, method: str, path: str, query: Query = (), body: object = None) -> object:
        content = None if body is None else msgspec.json.encode(body)
        return self._by_owner(method, target(path, query), content, None)

    def stream(self, path: str, query: Query, sink: Sink) -> None:
        self._by_owner("GET", target(path, query), None, sink)

    def watch(self, path: str) -> object:
        if not self._is_file:
            raise ServerRefused(
                "this command needs the running server, because nodes report to it",
                "set --server to its URL",
            )
        if self._obstacle:
            raise ServerRefused(f"{self._db} has no socket: {self._obstacle}", USE_SERVER)
        deadline = time.monotonic() + _RESTART_SECONDS
        while True:
            # Do not open the database itself: a starting server could not open it then.
            with contextlib.suppress(_NotListening):
                return self._over_socket("GET", path, None, None)
            if time.monotonic() > deadline:
                why = f"no server runs on {self._db}"
                raise ServerRefused(why, "start the server: nodes report to it")
            time.sleep(0.2)

    def _by_owner(self, method: str, target: str, body: bytes | None, sink: Sink | None) -> object:
        """Send a request to the server; if none runs, answer it in this process."""
        patience = _BLIND_SECONDS if self._obstacle else _PATIENCE_SECONDS
        deadline = time.monotonic() + patience
        while True:
            if self._application is None and self._is_file and not self._obstacle:
                with contextlib.suppress(_NotListening):
                    return self._over_socket(method, target, body, sink)
            try:
                return self._in_process(method, target, body or b"", sink)
            except StoreOwned as error:
                # The server is starting or stopping, and its socket does not exist right now.
                if time.monotonic() > deadline:
                    if self._obstacle:
                        error.hint = f"if it is a server, {USE_SERVER}: {self._obstacle}"
                    raise
                time.sleep(0.05)

    def _in_process(self, method: str, target: str, body: bytes, sink: Sink | None) -> object:
        if self._application is None:
            self._check_exists()
            self._application = self._open.enter_context(self._open_here(self._db))
        status, answer = self._application.answer(method, target, body, sink or _nowhere)
        return None if status == 200 and sink else _result(answer)

    def _over_socket(
        self, method: str, target: str, body: bytes | None, sink: Sink | None
    ) -> object:
        """Send a request to the server, without retries: a server that received it may have
        executed it. Raises _NotListening."""
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

    def _check_exists(self) -> None:
        if self._is_file and not self._new and not _exists(self._db):
            hint = "create a database with: originmap serve, zone create or token create"
            raise StoreUnusable(self._db, "no such file", hint)


class _NotListening(Exception):
    """No server owns the database, or it is starting or stopping."""


@contextlib.contextmanager
def _failures(db: str) -> Iterator[None]:
    """Translate the errors of the socket beside a database. Raises _NotListening, ServerRefused."""
    try:
        yield
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        raise _NotListening from None
    except PermissionError as error:
        if not _may_look(db):
            raise _NotListening from None  # opening the database says what is wrong
        raise ServerRefused(
            f"the server's socket beside {db} belongs to another user",
            "run the command as the user of the server",
        ) from error
    except (OSError, HTTPException, msgspec.MsgspecError, RecursionError) as error:
        raise ServerRefused(
            f"the server did not complete its response: {error}",
            "check whether the change was made before you retry",
        ) from error


class _Error(msgspec.Struct):
    message: str
    hint: str = ""


class _Answer(msgspec.Struct):
    success: bool
    errors: list[_Error]
    result: object = None


_ANSWER = msgspec.json.Decoder(_Answer)


def _result(body: bytes) -> object:
    """The result of a response. Raises ServerRefused, msgspec.MsgspecError."""
    answer = _ANSWER.decode(body)
    if not answer.success:
        messages = "; ".join(error.message for error in answer.errors)
        raise ServerRefused(messages, answer.errors[0].hint)
    return answer.result


def _may_look(db: str) -> bool:
    """Whether this user may enter the folder of a database."""
    return os.access(Path(db).resolve().parent, os.X_OK)


def _nowhere(chunk: bytes) -> None:
    pass


def _exists(db: str) -> bool:
    """Whether a file may exist; if that cannot be checked, opening it raises the reason."""
    try:
        Path(db).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
