"""A development server that a test starts and controls."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from originmap.dev_access import OTHER_CREDENTIALS, DevAccess, variables
from originmap.testing.control import ControlClient
from originmap.testing.fidelity import Fidelity, read_fidelity
from originmap.testing.process import DevProcess
from originmap.testing.recorded import RequestLog


class EnvironmentPatch(Protocol):
    """Sets environment variables for a test, as pytest's `monkeypatch` does."""

    def setenv(self, name: str, value: str) -> None:
        """Set a variable."""

    def delenv(self, name: str, raising: bool = ...) -> None:
        """Remove a variable."""


class Server:
    """`originmap dev` in a process of its own, on a free port of 127.0.0.1, with data in memory.

    A context manager, with `with` and with `async with`. Every method raises ControlError if the
    server refuses the request, with its reason.
    """

    def __init__(
        self,
        *,
        state: str | os.PathLike[str] | None = None,
        rate_limit: str = "off",
        strict: bool = False,
        fidelity: bool = True,
        v1: bool = True,
        ranges: str | os.PathLike[str] | None = None,
    ) -> None:
        """`state` is a file with the initial state, `ranges` a folder of the vendors' published
        ranges; the others are the options of `originmap dev`."""
        self._arguments = [
            *(["--state", os.fspath(state)] if state is not None else []),
            *(["--ranges", os.fspath(ranges)] if ranges is not None else []),
            *(["--strict"] if strict else []),
            "--fidelity" if fidelity else "--no-fidelity",
            "--enable-v1" if v1 else "--disable-v1",
            "--rate-limit",
            rate_limit,
        ]
        self._process: DevProcess | None = None
        self._control: ControlClient | None = None

    # Its life

    def start(self) -> "Server":
        """Start the process; returns once it answers. Raises ControlError if it cannot start."""
        if self._process is None:
            self._process = DevProcess(self._arguments)
            self._control = ControlClient(self.url, self.token)
        return self

    def stop(self) -> None:
        """End the process."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.stop()
        self._process = self._control = None

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> "Server":
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    # How clients use it

    @property
    def access(self) -> DevAccess:
        """The addresses and credentials."""
        assert self._process is not None, "the server is not started: use it in a with statement"
        return self._process.access

    @property
    def url(self) -> str:
        """The URL of the server, without a path."""
        return self.access.url

    @property
    def base_url(self) -> str:
        """The base URL of Cloudflare's API, for clients."""
        return self.access.base_url

    @property
    def token(self) -> str:
        """A token with every permission."""
        return self.access.token

    @property
    def zone_id(self) -> str:
        """The zone of a new server, example.com."""
        return self.access.zone_id

    @property
    def account_id(self) -> str:
        """The account of a new server."""
        return self.access.account_id

    def env(self) -> dict[str, str]:
        """The environment variables of the official tools."""
        return variables(self.access)

    def setenv(self, monkeypatch: EnvironmentPatch) -> None:
        """Set the environment variables of the official tools, and remove other credentials."""
        for name, value in self.env().items():
            monkeypatch.setenv(name, value)
        for name in OTHER_CREDENTIALS:
            monkeypatch.delenv(name, raising=False)

    # Its data

    def mappings(self, zone_id: str | None = None) -> dict[str, tuple[str, str]]:
        """The mappings of a zone: vendor and region by address. By default the zone of a new
        server."""
        zones = self.control.ask("GET", "/mappings", zone_id=zone_id or self.zone_id)
        return {ip: (vendor, region) for ip, (vendor, region) in zones.items()}

    def reset(self) -> None:
        """Return to the initial state: data, clock, faults, requests, rate limits."""
        self.control.ask("POST", "/reset")

    def save(self) -> str:
        """The state as JSON: zones, mappings, tokens, settings, topology."""
        return self.control.send("GET", "/state").decode()

    def load(self, state: str | bytes | os.PathLike[str]) -> None:
        """Replace everything by a state: the text that `save` returned, or a file with it."""
        if isinstance(state, os.PathLike):
            state = Path(state).read_bytes()
        data = state.encode() if isinstance(state, str) else state
        self.control.send("PUT", "/state", data)

    # Faults

    def fail(
        self,
        operation: str,
        *,
        status: int | None = None,
        code: int | None = None,
        error: str | None = None,
        retry_after: int | None = None,
        times: int | None = 1,
    ) -> None:
        """Fail the next requests with an error that the operation can return. `times` is None for
        all requests until the next reset; `error` is a name in the OpenAPI document."""
        self._add(
            operation, "fail", times, status=status, code=code, error=error, retry_after=retry_after
        )

    def rate_limit(
        self, operation: str = "*", *, retry_after: int = 1, times: int | None = 1
    ) -> None:
        """Refuse the next requests with status 429."""
        self._add(operation, "fail", times, status=429, code=971, retry_after=retry_after)

    def delay(self, operation: str, seconds: float, *, times: int | None = 1) -> None:
        """Answer the next requests later."""
        self._add(operation, "delay", times, seconds=seconds)

    def cut(self, operation: str, when: str = "before", *, times: int | None = 1) -> None:
        """Reset the connection of the next requests: "before" they are processed, "during" the
        answer, or "after" it."""
        self._add(operation, "cut", times, when=when)

    def partial(
        self,
        operation: str,
        items: Sequence[str | int],
        *,
        code: int | None = None,
        error: str | None = None,
        times: int | None = 1,
    ) -> None:
        """Let items of the next batches fail, by their addresses or their positions from 0."""
        self._add(operation, "partial", times, items=list(items), code=code, error=error)

    def _add(self, operation: str, kind: str, times: int | None, **members: object) -> None:
        given = {name: value for name, value in members.items() if value is not None}
        fault = {"operation": operation, "kind": kind, "times": times, **given}
        self.control.ask("POST", "/faults", fault)

    # The clock

    def freeze(self, moment: str) -> None:
        """Stop the clock at an RFC 3339 time: modification times, expiry and rate limits follow."""
        self.control.ask("PUT", "/clock", {"freeze": moment})

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Move the clock forward."""
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        self.control.ask("PUT", "/clock", {"advance_seconds": total})

    def unfreeze(self) -> None:
        """Let the clock run with the machine's again."""
        self.control.ask("PUT", "/clock", {"run": True})

    # What it saw

    @property
    def requests(self) -> RequestLog:
        """The requests since the last reset."""
        return RequestLog(self.control)

    def fidelity(self) -> Fidelity:
        """What the answers since the last reset rest on."""
        return read_fidelity(self.control.ask("GET", "/fidelity"))

    @property
    def control(self) -> ControlClient:
        """The connection to the control routes."""
        assert self._control is not None, "the server is not started: use it in a with statement"
        return self._control
