"""A remote server, by its URL and a token."""

import contextlib
from collections.abc import Iterator, Mapping

import msgspec

from originmap.client.connection import APIConnection, Credentials, OnSlow, OnWait
from originmap.client.errors import ClientError, Redirected, Refused, Unreachable
from originmap.client.server import ZONES, Query, ServerRefused, Sink, target

_NO_RIGHTS = (401, 403)
_NO_ROUTE, _UNREADABLE_TOKEN = 7003, 6003
RIGHTS = "set ORIGINMAP_TOKEN or --token-file to a token created with --access everything"


class RemoteServer:
    """Sends requests to a remote server."""

    def __init__(
        self,
        url: str,
        token: str,
        on_wait: OnWait,
        on_slow: OnSlow,
        environment: Mapping[str, str],
    ) -> None:
        """`environment` can set a proxy and certificates."""
        credentials = Credentials(token)
        self._connection = APIConnection(
            url, credentials, on_wait, environment=environment, on_slow=on_slow
        )

    def __enter__(self) -> "RemoteServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, query: Query = (), body: object = None) -> object:
        with _refusals(path):
            answer = self._connection.ask(method, target(path, query), body=body)
            return msgspec.json.decode(answer.result)

    def stream(self, path: str, query: Query, sink: Sink) -> None:
        with _refusals(path):
            for chunk in self._connection.stream(target(path, query)):
                sink(chunk)

    def watch(self, path: str) -> object:
        return self.ask("GET", path)


@contextlib.contextmanager
def _refusals(path: str) -> Iterator[None]:
    """Translate the errors of a request for `path`, with a hint. Raises ServerRefused."""
    try:
        yield
    except Unreachable as error:
        hint = error.remedy or "check that it is running, and --server"
        raise ServerRefused(str(error), hint) from error
    except Redirected as error:
        hint = f"set --server to {error.base}" if error.base else "check --server"
        raise ServerRefused(str(error), hint) from error
    except Refused as error:
        hint = ""
        if error.status in _NO_RIGHTS or _UNREADABLE_TOKEN in error.codes:
            hint = RIGHTS
        elif _NO_ROUTE in error.codes:
            hint = "set --server to the URL of the server, without /client/v4"
            if path.startswith(ZONES):
                hint = "list the zones that the token can read with: originmap zone list"
        raise ServerRefused(str(error), hint) from error
    except (ClientError, msgspec.MsgspecError, RecursionError) as error:
        raise ServerRefused(str(error), "check --server") from error
