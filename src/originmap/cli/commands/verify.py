"""originmap verify: check the facts about the API against any server."""

import difflib
import ipaddress
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from originmap.cli import options
from originmap.cli.api_options import write_out
from originmap.cli.credentials import checked_api_credentials
from originmap.cli.failure import print_failure, print_slow, print_wait
from originmap.cli.output.progress_bar import ProgressBar
from originmap.conformance.facts import FACTS
from originmap.domain.errors import OriginmapError
from originmap.domain.server_url import parse as parse_server_url
from originmap.settings import outbound_environment, settings_token

if TYPE_CHECKING:
    from originmap.client.connection import Credentials
    from originmap.verify.check import Check
    from originmap.verify.report import VerifyReport
    from originmap.verify.zone_under_test import ZoneUnderTest

_FAILED = 2
_ZONE_ID = re.compile("[0-9a-f]{32}")
_MOST_SHOWN = 5


def _ids(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    from originmap.verify.report import known_ids

    known = known_ids(FACTS)
    named = [each.strip().upper() for text in value for each in text.split(",") if each.strip()]
    for name in named:
        if name not in known:
            close = difflib.get_close_matches(name, known, cutoff=0.5) or known[:3]
            raise click.BadParameter(
                f"{name!r} is not the ID of a fact; close to it are {', '.join(close)}."
                " All IDs are in docs/conformance.md"
            )
    return tuple(named)


@click.command("verify")
@click.option(
    "--api",
    required=True,
    metavar="URL",
    envvar="CLOUDFLARE_BASE_URL",
    callback=options.checked_url,
    help="Base URL of the v4 API to check: of Cloudflare or of any other server.",
)
@click.option(
    "--zone", required=True, metavar="ZONE", help="Zone to use, by ID or name; best an empty one."
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File with the token for --api. Default: the variable CLOUDFLARE_API_TOKEN, or "
    "CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY, or ORIGINMAP_TOKEN.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="ID,...",
    callback=_ids,
    help="Only these facts, by their IDs in docs/conformance.md; repeatable.",
)
@options.as_json
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the requests and the answers to this file, redacted.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Do not ask for confirmation; required without a terminal, except for a server on this "
    "machine.",
)
def command(
    api: str,
    zone: str,
    token_file: Path | None,
    only: tuple[str, ...],
    as_json: bool,
    record: Path | None,
    yes: bool,
) -> None:
    """Check the facts about the API against any server.

    For each fact and each decision of docs/conformance.md it prints whether the server answers the
    same as Originmap, differently (with both answers), or why it was not tried. It creates mappings
    of documentation addresses and deletes them again; other mappings are left alone. Answers are
    printed without secrets, IDs and your addresses: see docs/verify.md. The exit status is 0 if
    nothing is different, 1 if something is, and 2 for any error.

    Example: originmap verify --api http://127.0.0.1:8787/client/v4 --zone example.com --only D-4
    """
    confirmed = yes or _is_loopback(api)
    if not confirmed and not sys.stdin.isatty():
        raise click.UsageError("no terminal for the confirmation; give --yes to run without it")
    try:
        credentials = _credentials(token_file)
        zone_id = _zone_id(api, zone, credentials)
        report = _verify(
            VerifyTarget(api, zone, zone_id), credentials, only, record, confirmed=confirmed
        )
    except OriginmapError as error:
        print_failure(error)
        sys.exit(_FAILED)
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped; nothing is left of this run", err=True)
        sys.exit(128 + signal.SIGINT)
    _print(report, parse_server_url(api).host, as_json=as_json)
    sys.exit(0 if report.all_same else 1)


class VerifyTarget(NamedTuple):
    """What is to be checked: `zone` is as it was given, an ID or a name."""

    api: str
    zone: str
    zone_id: str


def _verify(
    target: VerifyTarget,
    credentials: "Credentials",
    only: tuple[str, ...],
    record: Path | None,
    *,
    confirmed: bool,
) -> "VerifyReport":
    from originmap.verify.connection import ProbeConnection
    from originmap.verify.recording import AnswerRecording
    from originmap.verify.redaction import Redactor
    from originmap.verify.report import checks_of, make_report
    from originmap.verify.verification import run_checks
    from originmap.verify.zone_under_test import ZoneUnderTest

    facts = FACTS
    checks = checks_of(only, facts)
    redactor = Redactor(_secrets(target, credentials))
    recording = AnswerRecording(redactor)
    environment = outbound_environment()
    with ProbeConnection(target.api, credentials, print_wait, environment) as connection:
        if record is not None:
            connection.on_answer = recording.add
        try:
            has_token = bool(credentials.token)
            zone = ZoneUnderTest(connection, target.zone_id, redactor, has_token=has_token)
            _say_leftovers(zone)
            if not confirmed:
                _ask(target, zone, checks)
            with ProgressBar("checks", len(checks)) as bar:
                outcomes, changed = run_checks(checks, zone, lambda: bar.step(1), _say_stopping)
        finally:
            if record is not None:
                write_out(record, recording.lines(), "--record")
    for line in changed:
        click.echo(f"another mapping of the zone changed meanwhile: {line}", err=True)
    return make_report(facts, only, outcomes, connection.requests, len(changed))


def _credentials(token_file: Path | None) -> "Credentials":
    """Those of --token-file or the environment. Raises NoCredentials, UnusableEnvironment."""
    from originmap.client.connection import Credentials

    if token_file is not None:
        return Credentials(options.given_token(token_file))
    found = Credentials(*checked_api_credentials())
    if not (found.token or found.key) and settings_token():
        return Credentials(options.given_token(None))
    return found


def _zone_id(api: str, zone: str, credentials: "Credentials") -> str:
    """The ID of a zone that is given by ID or name. Raises ClientError."""
    if _ZONE_ID.fullmatch(zone):
        return zone
    from originmap.client.connection import APIConnection
    from originmap.client.mappings import RemoteMappings

    environment = outbound_environment()
    with APIConnection(
        api, credentials, print_wait, environment=environment, on_slow=print_slow
    ) as connection:
        return RemoteMappings(connection).zone_named(zone).id


def _secrets(target: VerifyTarget, credentials: "Credentials") -> dict[str, str]:
    found = {
        credentials.token: "<token>",
        credentials.key: "<key>",
        credentials.email: "<email>",
        target.zone_id: "<zone>",
        target.zone_id.upper(): "<ZONE>",
    }
    if target.zone != target.zone_id:
        found[target.zone] = "<zone-name>"
    return found


def _is_loopback(api: str) -> bool:
    host = parse_server_url(api).host
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _ask(target: VerifyTarget, zone: "ZoneUnderTest", checks: Sequence["Check"]) -> None:
    """Say what is about to happen, and go on after a yes. Raises click.Abort."""
    from originmap.verify.verification import REQUESTS_PER_CHECK
    from originmap.verify.zone_under_test import MOST_WRONG_CREDENTIALS

    others = len(zone.before)
    click.echo(
        f"{len(checks)} checks of {target.api}, zone {target.zone}:\n"
        f"- about {len(checks) * REQUESTS_PER_CHECK:,} requests, at most "
        f"{MOST_WRONG_CREDENTIALS} of them with an unknown credential\n"
        "- mappings of documentation addresses are created and deleted, up to 100 at a time\n"
        f"- the zone's other mappings ({others:,}) are left alone"
        + ("; checks that need an empty zone are not tried" if others else ""),
        err=True,
    )
    click.confirm("Go on?", abort=True, err=True)


def _say_leftovers(zone: "ZoneUnderTest") -> None:
    from originmap.verify.addresses import left_by_another_run

    left = left_by_another_run(zone.before)
    if left:
        more = f" and {len(left) - _MOST_SHOWN:,} more" if len(left) > _MOST_SHOWN else ""
        click.echo(
            f"{len(left):,} mappings may be left from an interrupted run: "
            f"{', '.join(left[:_MOST_SHOWN])}{more}\n"
            f"  if unneeded, delete each: DELETE {zone.path}/ADDRESS",
            err=True,
        )


def _say_stopping() -> None:
    click.echo(
        "stopping: deleting the mappings of this run; press Ctrl-C again to give up", err=True
    )


def _print(report: "VerifyReport", host: str, *, as_json: bool) -> None:
    from originmap.cli.output.verify_text import report_text
    from originmap.verify.report import report_json

    if as_json:
        text = msgspec.json.format(msgspec.json.encode(report_json(report, host)), indent=2)
        click.echo(text.decode())
        return
    for line in report_text(report):
        click.echo(line)
