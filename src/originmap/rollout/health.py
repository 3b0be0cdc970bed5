"""The operator's health command, which checks a stage of a rollout."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass

import click

_LONGEST_OUTPUT = 300


@dataclass(frozen=True, slots=True)
class Health:
    """A command that is run without a shell. Exit status 0 within `seconds` means healthy."""

    words: tuple[str, ...]
    seconds: float

    def problem(self, stage: int, revision: int, colos: list[str]) -> str:
        """Run the command; returns the problem, or "" if the stage is healthy."""
        variables = {
            "ORIGINMAP_STAGE": str(stage),
            "ORIGINMAP_REVISION": str(revision),
            "ORIGINMAP_COLOS": " ".join(colos),
        }
        try:
            status, output = self._run(variables)
        except subprocess.TimeoutExpired:
            return f"the health command timed out after {self.seconds:g} s"
        except OSError as error:
            return f"the health command cannot be run: {error.strerror or error}"
        if status == 0:
            return ""
        last = output.strip().rpartition("\n")[2][:_LONGEST_OUTPUT]
        return f"the health command exited with status {status}{': ' if last else ''}{last}"

    def _run(self, variables: dict[str, str]) -> tuple[int, str]:
        """Run the command; returns its exit status and output. Kills its child processes."""
        with subprocess.Popen(  # noqa: S603 (the operator's own words, and no shell)
            self.words,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=self.seconds)
            finally:
                _kill(process)
        return process.returncode, output


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a command and its children, because they keep the pipe open, which is read to its end.
    Windows has no process groups, so children survive there."""
    if not hasattr(os, "killpg"):
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def health_of(text: str, seconds: float) -> Health | None:
    """Parse a command; None if `text` is empty. A command that cannot be run is an error before
    any stage is released."""
    if not text:
        return None
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise click.BadParameter(f"--health: {error}") from None
    if not words or shutil.which(words[0]) is None:
        raise click.BadParameter(f"--health: there is no program {(words or [text])[0]!r}")
    return Health(tuple(words), seconds)
