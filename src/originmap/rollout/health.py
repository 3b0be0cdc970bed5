"""The operator's health command: whether a wave is well."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass

import click

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Health:
    """A command that is run without a shell, and is well when it ends with 0 within `seconds`."""

    words: tuple[str, ...]
    seconds: float

    def problem(self, wave: int, revision: int, colos: list[str]) -> str:
        """What is wrong; "" where nothing is."""
        told = {
            "ORIGINMAP_WAVE": str(wave),
            "ORIGINMAP_REVISION": str(revision),
            "ORIGINMAP_COLOS": " ".join(colos),
        }
        try:
            status, printed = self._run(told)
        except subprocess.TimeoutExpired:
            return f"the health command took longer than {self.seconds:g} s"
        except OSError as error:
            return f"the health command cannot be run: {error.strerror or error}"
        if status == 0:
            return ""
        last = printed.strip().rpartition("\n")[2][:_SHOWN]
        return f"the health command ended with {status}{': ' if last else ''}{last}"

    def _run(self, told: dict[str, str]) -> tuple[int, str]:
        """The exit status, and what was printed; nothing that was started is left behind."""
        with subprocess.Popen(  # noqa: S603 (the operator's own words, and no shell)
            self.words,
            env={**os.environ, **told},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                printed, _ = process.communicate(timeout=self.seconds)
            finally:
                # With its children: they would hold the pipe that is read to its end.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, printed


def health_of(text: str, seconds: float) -> Health | None:
    """The command that `text` spells; None for none. What cannot be run is refused before
    anything is released."""
    if not text:
        return None
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise click.BadParameter(f"--health: {error}") from None
    if not words or shutil.which(words[0]) is None:
        raise click.BadParameter(f"--health: there is no program {(words or [text])[0]!r}")
    return Health(tuple(words), seconds)
