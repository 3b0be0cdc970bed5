"""The console blocks of a page, and the output of their commands.

All blocks of a page run in order in one shell. A comment on the line before a block changes this:

- no comment: each command runs, and must print what the page shows;
- `<!-- stays running; ready when: CONDITION -->`: its last command runs in the background until
  the page ends, and the next one waits for the condition;
- `<!-- not run: REASON -->`: the block is left out;
- `<!-- file: NAME -->`, before a block of any language: the text becomes that file.
"""

import os
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import forked

SECONDS = 120
END = "==== end of a step ===="
BLOCK = re.compile(r"^(?:<!-- ([^\n]+?) -->\n)?```(\w*)\n(.*?)^```$", re.M | re.S)
PORTS = ("8787", "8443", "8081", "8082", "8083")
PORT = re.compile(rf"(?<=[:/\s=])({'|'.join(PORTS)})(?![\d.])")
VARYING = {
    r"\b[0-9a-f]{64}\b": "<digest>",
    r"\b[0-9a-f]{32}\b": "<id>",
    r"(?<![\w-])[\w-]{40}(?![\w-])": "<secret>",
    r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z": "<time>",
    r"\b[0-9a-f]{7}\b(?=\] )": "<commit>",
}


@dataclass(frozen=True)
class Step:
    """A command of a page, or a file to write; `shown` is the output on the page."""

    command: str
    shown: str = ""
    ready: str = ""
    start: int = 0
    end: int = 0

    def script(self, number: int) -> str:
        """A Bash process; it prints the output of each command, then a line that marks its end."""
        command = self.command
        if self.ready:
            log = f"$HOME/.background-{number}"
            command = (
                f"{{ {command}\n}} > {log} 2>&1 &\n"
                f"for _ in {{1..300}}; do {{ {self.ready}; }} > /dev/null 2>&1 && break; "
                f"sleep 0.1; done\ncat {log}"
            )
        return f"{command}\nprintf '\\n%s\\n' '{END}'\n"


def steps_of(page: str) -> list[Step]:
    """The steps of a page's text, in order."""
    steps: list[Step] = []
    for block in BLOCK.finditer(page):
        kind, _, value = (block[1] or "").partition(": ")
        if kind == "file":
            steps.append(
                Step(f"mkdir -p $(dirname {value})\ncat > {value} <<'{END}'\n{block[3]}{END}")
            )
        elif block[2] == "console" and kind != "not run":
            assert kind in ("", "stays running; ready when"), block[1]
            steps += _commands(block[3], block.start(3), value)
    return steps


def _commands(text: str, offset: int, ready: str) -> list[Step]:
    assert text.startswith("$ "), text
    found = []
    for part in re.finditer(r"^\$ ((?:.*\n> )*.*\n)((?:(?!\$ ).*\n)*)", text, re.M):
        command = part[1].replace("\n> ", "\n").rstrip("\n")
        last = ready if part.end() == len(text) else ""
        found.append(Step(command, part[2], last, offset + part.start(2), offset + part.end(2)))
    return found


def run_steps(steps: list[Step], folder: Path, names: Mapping[str, str] | None = None) -> list[str]:
    """The output of each step. Ports are replaced by free ones, and `names`, such as folders that
    need root, by other names; the output has the original ones.
    """
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    script = "".join(step.script(number) for number, step in enumerate(steps))
    script = PORT.sub(lambda found: ports[found[1]], script)
    for name, other in (names or {}).items():
        script = script.replace(name, other)
    printed = _bash(script, folder, ports["8787"])
    for port, free in ports.items():
        printed = re.sub(rf"(?<!\d){free}(?!\d)", port, printed)
    for name, other in (names or {}).items():
        printed = printed.replace(other, name) if other else printed
    parts = printed.split(f"\n{END}\n")[:-1]
    assert len(parts) == len(steps), printed[-4000:]
    return [part if part.endswith("\n") or not part else f"{part}\n" for part in parts]


def free_ports(number: int) -> list[str]:
    """Free ports with four digits, which keep the width of a table on the page."""
    found: list[str] = []
    for port in random.sample(range(2000, 9999), 7000):
        with socket.socket() as probe:
            if str(port) not in PORTS and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(str(port))
        if len(found) == number:
            break
    return found


def wait_for_port(port: str) -> None:
    """Wait until a process listens on the port."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")


def _bash(script: str, folder: Path, port: str) -> str:
    """The output of a shell. Its background processes are killed."""
    shell = subprocess.Popen(
        ["bash", "-c", f"exec 2>&1\n{script}"],
        cwd=folder,
        env=_environment(folder, port),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        return shell.communicate(timeout=SECONDS)[0]
    except subprocess.TimeoutExpired as expired:
        raise AssertionError(f"timeout after {SECONDS} s: {expired.output!r}") from None
    finally:
        _end(shell)


def _end(shell: subprocess.Popen[str]) -> None:
    """Kill the shell with its process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline, signal_now = time.monotonic() + 10, int(number)
        while time.monotonic() < deadline:
            try:
                os.killpg(shell.pid, signal_now)
            except ProcessLookupError:
                return
            signal_now = 0
            shell.poll()
            time.sleep(0.05)


def _environment(folder: Path, port: str) -> dict[str, str]:
    """The environment of a new user, with the command in the PATH."""
    ours = ("ORIGINMAP_", "CLOUDFLARE_", "XDG_", "PYTEST_", "GIT_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "HOME": str(folder),
        "PATH": f"{folder}/bin:{forked.path()}:/usr/sbin:/sbin",
        "ORIGINMAP_PORT": port,
        "PYTHONUNBUFFERED": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "originmap.pytest_plugin",
        **{f"GIT_{who}_NAME": "A. Newcomer" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "newcomer@example.com" for who in ("AUTHOR", "COMMITTER")},
    }


def agrees(shown: str, printed: str) -> bool:
    """Whether a page shows this output. `…` matches any text, also several lines; IDs, secrets,
    times and digests differ between runs.
    """
    pattern = ".*".join(re.escape(_steady(part)) for part in _tidy(shown).split("…"))
    return re.fullmatch(pattern, _steady(_tidy(printed)), re.S) is not None


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))


def _steady(text: str) -> str:
    for pattern, name in VARYING.items():
        text = re.sub(pattern, name, text)
    return text


def rewrite(path: Path, outcome: Sequence[tuple[Step, str]]) -> None:
    """Update the output in a page if it no longer matches."""
    page = path.read_text("utf-8")
    for step, printed in reversed(outcome):
        if step.end and not agrees(step.shown, printed):
            text = _tidy(printed)
            page = page[: step.start] + (f"{text}\n" if text else "") + page[step.end :]
    path.write_text(page, "utf-8")
