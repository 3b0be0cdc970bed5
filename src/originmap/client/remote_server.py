"""A server elsewhere, by its URL and a token of it."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from originmap.client.connection import APIConnection, Credentials
from originmap.client.errors import ClientError, Redirected, Refused, Unreachable
from originmap.client.server import ZONES, Query, ServerRefused, Sink, target

_NO_RIGHTS = (401, 403)
_NO_ROUTE, _UNREADABLE_TOKEN = 7003, 6003
RIGHTS = "ORIGINMAP_TOKEN or --token-file needs a token made with --access everything"


class RemoteServer:
    """A server, by its URL."""

    def __init__(self, url: str, token: str, environment: Mapping[str, str]) -> None:
        """`environment` may name a proxy and certificates."""
        self._connection = APIConnection(url, Credentials(token), environment=environment)

    def __enter__(self) -> "RemoteServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, query: Query = (), body: Any = None) -> Any:
        with _refusals(path):
            answer = self._connection.ask(method, target(path, query), body=body)
            return msgspec.json.decode(answer.result)

    def stream(self, path: str, query: Query, sink: Sink) -> None:
        with _refusals(path):
            for chunk in self._connection.stream(target(path, query)):
                sink(chunk)

    def watch(self, path: str) -> Any:
        return self.ask("GET", path)


@contextlib.contextmanager
def _refusals(path: str) -> Iterator[None]:
    """What goes wrong with a request for `path` to a server elsewhere, with what to do about it."""
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
            if path.startswith(ZONES):
                hint = "originmap zone list shows the zones that the token may read"
        raise ServerRefused(str(error), hint) from error
    except (ClientError, msgspec.MsgspecError, RecursionError) as error:
        raise ServerRefused(str(error), "is --server right?") from error
