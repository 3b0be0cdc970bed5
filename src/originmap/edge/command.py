"""Commands of the operator's, and of ours: checks and reloads.

They come from the command line of the agent alone, never over the network. They are run without a
shell, for a limited time, and of what they write only the end is kept.
"""

import os
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass

from originmap.edge.errors import CommandFailed

LIMIT_SECONDS = 30.0
_KEPT_BYTES = 4096
_SHOWN_LINES = 8
_LOOK_MILLISECONDS = 50


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments."""

    argv: tuple[str, ...]

    @property
    def text(self) -> str:
        """As it could be typed."""
        return shlex.join(self.argv)


def parse(text: str) -> Command:
    """The command as a shell would split it, without anything else of a shell. Raises
    ValueError."""
    argv = tuple(shlex.split(text))
    if not argv:
        raise ValueError("it is empty")
    return Command(argv)


def run(
    command: Command,
    environment: Mapping[str, str],
    limit_seconds: float = LIMIT_SECONDS,
    *,
    umask: int = -1,
) -> None:
    """Run a command that must work, with a umask of its own where one is given. Raises
    CommandFailed."""
    deadline = time.monotonic() + limit_seconds
    try:
        process = subprocess.Popen(  # noqa: S603 (the operator's own command)
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
            umask=umask,
        )
    except OSError as error:
        raise CommandFailed(command.text, error.strerror or str(error)) from error
    with process:
        said = _last_lines(_read(process, deadline))
        try:
            status = process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            reason = f"it took longer than {limit_seconds:g} s"
            raise CommandFailed(command.text, reason, said) from None
    if status:
        reason = f"exit status {status}" if status > 0 else f"ended by signal {-status}"
        raise CommandFailed(command.text, reason, said)


def _read(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """The end of what it writes, until it ends: a program that it left behind may hold the pipe
    open for long."""
    assert process.stdout is not None
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN | select.POLLHUP)
    kept = b""
    while time.monotonic() < deadline:
        if poll.poll(_LOOK_MILLISECONDS):
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                break
            kept = (kept + piece)[-_KEPT_BYTES:]
        elif process.poll() is not None:
            break
    return kept


def _last_lines(said: bytes) -> str:
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines()]
    return "\n".join([line for line in lines if line][-_SHOWN_LINES:])
