"""Runs check and reload commands.

Commands come only from the agent's command line, never over the network. They run without a shell
and with a timeout; only the end of their output is kept.
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
        """The command quoted for a shell."""
        return shlex.join(self.argv)


def parse(text: str) -> Command:
    """Split a command like a shell, without variables or other shell syntax. Raises
    ValueError."""
    argv = tuple(shlex.split(text))
    if not argv:
        raise ValueError("the command is empty")
    return Command(argv)


def run(
    command: Command,
    environment: Mapping[str, str],
    limit_seconds: float = LIMIT_SECONDS,
    *,
    umask: int = -1,
) -> None:
    """Run a command; a `umask` of -1 keeps the agent's own. Raises CommandFailed if the command
    cannot be started, fails, or exceeds the timeout."""
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
        output = _last_lines(_read(process, deadline))
        try:
            status = process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            reason = f"it took longer than {limit_seconds:g} s"
            raise CommandFailed(command.text, reason, output) from None
    if status:
        reason = f"exit status {status}" if status > 0 else f"ended by signal {-status}"
        raise CommandFailed(command.text, reason, output)


def _read(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Read output until the process ends, and return the end of it. The end of the pipe is not
    enough: a child left behind can keep it open."""
    assert process.stdout is not None
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN | select.POLLHUP)
    tail = b""
    while time.monotonic() < deadline:
        if poll.poll(_LOOK_MILLISECONDS):
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                break
            tail = (tail + piece)[-_KEPT_BYTES:]
        elif process.poll() is not None:
            break
    return tail


def _last_lines(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines()]
    return "\n".join([line for line in lines if line][-_SHOWN_LINES:])
