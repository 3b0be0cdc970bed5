"""A connection to NATS servers, and its errors as ours. The only module that connects.

The connection does not reconnect: a lost one ends all that waits for it, and the caller starts
again from what it has stored.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import nats.errors
import nats.js.errors
from nats.aio.client import Client, RawCredentials
from nats.js import JetStreamContext

from originmap.domain.errors import FeedError, PrimaryGone, PrimaryUntrusted
from originmap.domain.nats_url import NatsURL
from originmap.jetstream.credentials import NatsCredentials
from originmap.outbound.errors import UnusableEnvironment
from originmap.outbound.http import DIRECT
from originmap.outbound.tls import tls_context, tls_error, tls_hint, tls_reason

T = TypeVar("T")

_CONNECT_SECONDS = 5
_CLOSE_SECONDS = 1.0
ANSWER_SECONDS = 10.0
"""How long to wait for an answer of a server."""
_PING_SECONDS = 10
NATS_ERRORS = (nats.errors.Error, OSError, asyncio.TimeoutError)


@dataclass(frozen=True, slots=True)
class NatsAccess:
    """How to reach NATS servers: with which credentials, which client certificate (a file with
    certificate and key in PEM form, or ""), and the environment for other certificates."""

    url: NatsURL
    credentials: NatsCredentials = field(default_factory=NatsCredentials)
    certificate: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: DIRECT, repr=False)


class NatsConnection:
    """One connection."""

    def __init__(self, client: "_Client") -> None:
        self.client = client
        self.streams: JetStreamContext = client.jetstream(timeout=ANSWER_SECONDS)
        self._lost = client.lost

    @property
    def is_lost(self) -> bool:
        """Whether the connection has ended."""
        return self._lost.is_set()

    async def watch(self) -> None:
        """Wait until the connection ends, then raise PrimaryGone."""
        await self._lost.wait()
        raise _lost()

    async def until_lost(self, work: Awaitable[T]) -> T:
        """The result of `work`. Raises PrimaryGone if the connection is lost before."""
        task = asyncio.ensure_future(work)
        lost = asyncio.create_task(self.watch())
        try:
            await asyncio.wait((task, lost), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise _lost()
            return task.result()
        finally:
            lost.cancel()
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, *NATS_ERRORS):
                    await task


def _lost() -> PrimaryGone:
    return PrimaryGone("the connection to the NATS server is lost")


class _Client(Client):
    """nats-py's client, with two differences."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = asyncio.Event()

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        """Close without sending the rest. That raises an error on a connection that was reset, and
        nats-py then tells nobody that the connection has ended."""
        self.lost.set()
        self._pending, self._pending_data_size = [], 0
        await super()._close(status, do_cbs)

    def _connect_command(self) -> bytes:
        """Send no credentials in clear text if the URL asks for TLS."""
        assert self._current_server is not None
        if self._current_server.uri.scheme == "tls" and not self._server_info.get("tls_required"):
            raise PrimaryUntrusted("the NATS server offers no TLS", "enable it, or use nats://")
        command = super()._connect_command()
        assert isinstance(command, bytes)
        return command


@contextlib.asynccontextmanager
async def connected(access: NatsAccess, name: str) -> AsyncIterator[NatsConnection]:
    """A connection; `name` is shown in the server's list of connections. Errors of NATS in the
    body are raised as FeedError. Raises FeedError, UnusableEnvironment."""
    client, tls = _Client(), _tls(access)
    with as_feed_errors():
        try:
            await client.connect(
                servers=access.url.addresses,
                name=name,
                error_cb=_ignore,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=_CONNECT_SECONDS,
                ping_interval=_PING_SECONDS,
                tls=tls,
                **_authentication(access.credentials),
            )
            yield NatsConnection(client)
        finally:
            with contextlib.suppress(*NATS_ERRORS):
                async with asyncio.timeout(_CLOSE_SECONDS):  # after a TLS error it never ends
                    await client.close()


@contextlib.contextmanager
def as_feed_errors() -> Iterator[None]:
    """Raise errors of NATS as FeedError, and CancelledError if nats-py has lost it."""
    try:
        yield
    except NATS_ERRORS as error:
        check_cancelled()
        raise _feed_error(error) from error
    check_cancelled()


def check_cancelled() -> None:
    """Raise CancelledError if this task was cancelled. nats-py can lose that: it raises an error of
    its own when the connection closes, and uses asyncio.wait_for, which before Python 3.12 ignores
    a cancellation at the moment of the result (github.com/python/cpython/issues/86296)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _feed_error(error: Exception) -> FeedError:
    refused = tls_error(error)
    if refused is not None:
        return PrimaryUntrusted(tls_reason(refused), tls_hint(refused))
    if isinstance(error, nats.js.errors.APIError):
        reason = error.description or f"error {error.err_code}"
    else:
        reason = str(error).removeprefix("nats: ") or type(error).__name__
    gone = PrimaryGone(f"NATS: {reason}")
    if "uthorization" in reason or "uthentication" in reason:
        gone.hint = "check --nats-credentials"
    elif isinstance(error, nats.errors.NoRespondersError | nats.js.errors.NoStreamResponseError):
        gone.hint = "enable JetStream on the server, and check the permissions of the user"
    elif isinstance(error, nats.errors.NoServersError | OSError):
        gone.hint = "check that the NATS server runs, and its address"
    return gone


def _tls(access: NatsAccess) -> ssl.SSLContext | None:
    if access.url.scheme != "tls":
        return None
    context = tls_context(access.environment, ssl.create_default_context)
    if access.certificate:
        try:
            context.load_cert_chain(access.certificate)
        except OSError as error:
            raise UnusableEnvironment(
                "--nats-certificate",
                f"{access.certificate}: it has no certificate with its key",
                "give a file with a certificate and its key without a password, in PEM form",
            ) from error
    return context


def _authentication(credentials: NatsCredentials) -> dict[str, Any]:
    if credentials.creds:
        return {"user_credentials": RawCredentials(credentials.creds)}
    if credentials.seed:
        return {"nkeys_seed_str": credentials.seed}
    if credentials.user:
        return {"user": credentials.user, "password": credentials.password}
    return {"token": credentials.token} if credentials.token else {}


async def _ignore(error: Exception) -> None:
    """Errors are raised to callers; nats-py would log them as well."""
