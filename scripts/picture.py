"""Draws docs/images/plan.svg: a terminal with a plan of changed mappings.

The text is the commands' real output on a terminal, including colours, with a temporary server. The
picture changes only if the output does: `make picture`.
"""

import errno
import os
import pty
import re
import subprocess
import tempfile
from html import escape
from pathlib import Path

import httpx

from tests.process import BEARER, COMMAND, TOKEN, Server

TARGET = Path(__file__).parents[1] / "docs" / "images" / "plan.svg"
FILE = """zones:
  example.com:
    mappings:
      192.0.2.1: aws/us-west-2
      "2001:db8::1": azure/japaneast
    groups:
      - vendor: aws
        region: us-east-1
        origins: [192.0.2.11, 192.0.2.12, 192.0.2.13, 192.0.2.14, 192.0.2.15]
"""
LIVE = {"192.0.2.9": "eu-west-1"} | {
    f"192.0.2.{number}": "us-east-1" for number in (1, 11, 12, 13, 14, 15)
}
COMMANDS = [
    "originmap plan mappings.yaml",
    "originmap resolve example.com 192.0.2.1 --explain | head -8",
]
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
LINE, CHARACTER, MARGIN = 20, 8.43, 18


def main() -> None:
    """Write the picture."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(draw(), "utf-8")


def draw() -> str:
    """The picture of the commands' current output."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mappings.yaml").write_text(FILE, "utf-8")
        with Server(":memory:", folder) as server:
            for ip, region in LIVE.items():
                item = {"origin_ip": ip, "vendor": "aws", "region": region}
                httpx.put(f"{server.mappings}/{ip}", json=item, headers=BEARER).raise_for_status()
            shown = [(command, on_terminal(command, folder, server)) for command in COMMANDS]
    return svg("\n".join(f"$ {command}\n{text}" for command, text in shown))


def on_terminal(command: str, folder: Path, server: Server) -> str:
    """The output of a command on a terminal, with its colours."""
    terminal, program = pty.openpty()
    environment = {
        **os.environ,
        "PATH": f"{Path(COMMAND).parent}:{os.environ['PATH']}",
        "CLOUDFLARE_BASE_URL": server.api,
        "CLOUDFLARE_API_TOKEN": TOKEN,
        "ORIGINMAP_SERVER": server.url,
        "ORIGINMAP_TOKEN": TOKEN,
        "XDG_STATE_HOME": str(folder),
    }
    with subprocess.Popen(
        ["bash", "-c", command], stdout=program, stderr=program, cwd=folder, env=environment
    ):
        os.close(program)
        printed = read_to_end(terminal)
    lines = printed.decode().replace("\r\n", "\n").split("\n")
    return "\n".join(line.rpartition("\r")[2] for line in lines)


def read_to_end(terminal: int) -> bytes:
    """The complete output on a terminal; EIO means that no program has it open any more."""
    pieces = []
    try:
        while piece := os.read(terminal, 65536):
            pieces.append(piece)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
    os.close(terminal)
    return b"".join(pieces)


def svg(text: str) -> str:
    """The text of a terminal as an SVG image without external fonts, scripts or network access."""
    lines = text.rstrip("\n").split("\n")
    plain = [re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", line) for line in lines]
    width = round(max(map(len, plain)) * CHARACTER) + 2 * MARGIN
    height = len(lines) * LINE + 2 * MARGIN
    rows = "\n".join(row(line, number) for number, line in enumerate(lines))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>originmap plan and originmap resolve in a terminal</title>
<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>
<g font-family="{FONTS}" font-size="14" fill="#c9d1d9"
   xml:space="preserve" style="white-space: pre">
{rows}
</g>
</svg>
"""


def row(line: str, number: int) -> str:
    """A line; its length is fixed, so that columns agree in every font."""
    spans, fill, length = "", "#ffffff" if line.startswith("$ ") else "", 0
    for piece in re.split(r"(\x1b\[[\d;]*[A-Za-z])", line):
        if code := re.fullmatch(r"\x1b\[([\d;]*)[A-Za-z]", piece):
            fill = COLOURS.get(code[1], "")
        elif piece:
            length += len(piece)
            colour = f' fill="{fill}"' if fill else ""
            spans += f"<tspan{colour}>{escape(piece)}</tspan>"
    if not spans:
        return ""
    y = MARGIN + 15 + number * LINE
    return f'<text x="{MARGIN}" y="{y}" textLength="{length * CHARACTER:.0f}">{spans}</text>'


if __name__ == "__main__":
    main()
