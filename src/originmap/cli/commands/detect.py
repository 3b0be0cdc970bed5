"""originmap detect: the region of addresses by the vendors' published IP ranges."""

import sys
import time
from collections.abc import Iterable

import click

from originmap.cli import address_arguments, options
from originmap.cli.output.detections import CSVWriter, DetectionWriter, JSONWriter, TextWriter
from originmap.cli.output.progress import Progress
from originmap.cli.ranges_detector import ranges_detector
from originmap.service.detection.detector import Detector

_STDIN = "-"


@click.command("detect")
@click.argument("addresses", metavar="IP...|-", nargs=-1, required=True)
@options.ranges
@options.as_json
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print CSV with a heading; services are separated by spaces.",
)
def command(addresses: tuple[str, ...], ranges: str, as_json: bool, as_csv: bool) -> None:
    """Print the region of addresses by the vendors' published IP ranges.

    docs/detection.md explains the verdicts. Before ranges are fetched or imported, those of
    pip install 'originmap[ranges]' are used. A hostname stands for all its addresses, as this
    machine resolves it. With -, the command reads one address or hostname per line from stdin.
    Input that is neither is reported with its number, and the exit status is 1.

    Example: originmap detect 52.94.76.1 2600:1f18::1

    Example: cut -d' ' -f1 access.log | originmap detect --csv -
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    if _STDIN in addresses and len(addresses) > 1:
        raise click.UsageError("- stands alone: all addresses come from stdin then")
    detector = ranges_detector(ranges)
    kind = JSONWriter if as_json else CSVWriter if as_csv else TextWriter
    if addresses == (_STDIN,):
        what, questions = "line", address_arguments.lines(sys.stdin.buffer)
    else:
        what, questions = "argument", iter(list(enumerate(addresses, 1)))
    if _run(detector, what, questions, kind(sys.stdout)):
        sys.exit(1)


def _run(
    detector: Detector, what: str, questions: Iterable[tuple[int, str]], writer: DetectionWriter
) -> bool:
    """Answer every question; whether one could not be."""
    progress = Progress(sys.stderr, time.monotonic)
    failed = False
    for number, text in questions:
        try:
            name, found = address_arguments.addresses(text, address_arguments.resolve)
        except address_arguments.Unusable as error:
            failed = True
            progress.clear()
            sys.stderr.write(f"{what} {number}: {error}\n")
        else:
            for address in found:
                writer.write(name, detector.detect(address))
        progress.step()
    writer.end()
    progress.clear()
    return failed
