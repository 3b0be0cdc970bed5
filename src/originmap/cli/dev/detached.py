"""A development server in the background: it is started, found again, and stopped.

The file dev.json in the user's state folder says which one it is.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import click

from originmap.atomic_file import replace_file
from originmap.domain.errors import OriginmapError
from originmap.service import initial_data
from originmap.settings import state_folder
from originmap.testing.control import ControlClient, ControlError

_URL = re.compile(rb"(https?://[^\s\"]+)/client/v4")
_STOP_SECONDS = 15.0


class NotDetached(OriginmapError):
    """There is no development server in the background."""

    hint = "start one with originmap dev --detach, or give --url"


class Detached(NamedTuple):
    """A development server in the background."""

    url: str
    log: str


def start(arguments: list[str]) -> Detached:
    """Run `originmap` with these arguments in the background; returns once it listens."""
    running = find()
    if running is not None and is_alive(running.url):
        problem = f"a development server runs in the background already: {running.url}"
        raise click.UsageError(f"{problem}\nstop it first: originmap stop")
    folder = _folder()
    log = folder / "dev.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 (our own command)
            [sys.executable, "-m", "originmap", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            **_own_session(),
        )
    assert process.stdout is not None
    for line in process.stdout:
        if found := _URL.search(line):
            server = Detached(found[1].decode(), str(log))
            replace_file(folder / "dev.json", [json.dumps(server._asdict()).encode()])
            return server
    process.wait()
    raise click.ClickException(log.read_text("utf-8", "replace").strip() or "it did not start")


def find() -> Detached | None:
    """The development server in the background; None if there is none."""
    folder = state_folder()
    try:
        return Detached(**json.loads((folder / "dev.json").read_bytes())) if folder else None
    except (OSError, ValueError, TypeError):
        return None


def is_alive(url: str) -> bool:
    """Whether a development server answers at a URL."""
    control = ControlClient(url, initial_data.DEV_TOKEN)
    try:
        control.ask("GET", "/clock")
    except ControlError:
        return False
    finally:
        control.close()
    return True


def stop(server: Detached) -> None:
    """Stop a server, and wait until it has stopped. Raises ControlError if it does not answer."""
    control = ControlClient(server.url, initial_data.DEV_TOKEN)
    control.ask("POST", "/stop")
    control.close()
    deadline = time.monotonic() + _STOP_SECONDS
    while is_alive(server.url):
        if time.monotonic() > deadline:
            raise ControlError(f"{server.url} still answers after {_STOP_SECONDS:g} s")
        time.sleep(0.05)
    forget()


def forget() -> None:
    """Forget the server in the background."""
    folder = state_folder()
    if folder is not None:
        (folder / "dev.json").unlink(missing_ok=True)


def _folder() -> Path:
    folder = state_folder()
    if folder is None:
        raise click.UsageError("--detach needs a state folder: set XDG_STATE_HOME or HOME")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        problem = error.strerror or str(error)
        raise click.UsageError(f"{folder}: {problem}: set XDG_STATE_HOME") from None
    return folder


def _own_session() -> dict[str, Any]:
    """Arguments of Popen for a process that outlives the terminal."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
