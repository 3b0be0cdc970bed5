"""The `originmap` command: finds the command asked for and prints what goes wrong."""

import contextlib
import errno
import gc
import importlib
import keyword
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from originmap import __version__
from originmap.cli import streams
from originmap.cli.failure import print_failure
from originmap.cli.variables import name_variable
from originmap.domain.errors import OriginmapError
from originmap.domain.redaction import hide_passwords

_STDOUT_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}
_COMMANDS = {
    "dev": "Start a development server with well-known credentials.",
    "env": "Print the environment variables that make official tools use a development server.",
    "wait": "Wait until a server is ready; exit status 0 means that it is.",
    "stop": "Stop a development server that runs in the background.",
    "serve": "Start a production server.",
    "health": "Check that a server is ready; exit status 0 means healthy.",
    "proxy": "Run a proxy that keeps unmodified tools within the rate limit of the API.",
    "xds": "Serve Envoy's discovery services from a process of their own.",
    "edge": "Keep the cache configuration of a node up to date.",
    "publish": "Publish the changes of a server to other systems.",
    "zone": "Create and list zones.",
    "token": "Create, list and revoke API tokens.",
    "resolve": "Print the upper tier and the fallbacks of origins.",
    "pool": "List, set and remove the load-balancing pools of a zone.",
    "topology": "Show and change the colos of your network.",
    "cache": "Show and change the caches of your colos.",
    "catalogue": "Show and change your own vendors and regions.",
    "whatif": "Print the origins that would move if colos changed state.",
    "audit-mappings": "Check a zone's mappings against the vendors' published IP ranges.",
    "audit": "Print the audit log, newest entry first.",
    "history": "Print the changes of a zone's mappings, newest first.",
    "diff": "Print the differences between two revisions of a zone's mappings.",
    "rollback": "Restore a zone's mappings as of an earlier revision.",
    "followers": "Print the replicas and nodes that follow a server.",
    "rollout": "Release changes to nodes in stages.",
    "hook": "Send changes to URLs as signed webhooks.",
    "report": "Record drift or published ranges as a change, for webhooks.",
    "context": "Add, select and remove named servers.",
    "promote": "Promote a replica to primary.",
    "detect": "Print the region of addresses by the vendors' published IP ranges.",
    "ranges": "Import, download and list the vendors' published IP ranges.",
    "migrate": "Upgrade a database to the schema of this version.",
    "copy": "Copy a database between SQLite files and PostgreSQL.",
    "regions": "Print the catalogue of regions and their upper tiers.",
    "plan": "Print the changes that would make the live mappings match a file.",
    "apply": "Make the live mappings match a file or a saved plan.",
    "drift": "Print how the live mappings differ from a file.",
    "dump": "Print the live mappings as a mappings file.",
    "init": "Generate a mappings file from addresses, hostnames or a zone file.",
    "import": "Convert a CSV file or a Terraform state to a mappings file.",
    "export": "Export mappings for caches and for other programs.",
    "schema": "Print the JSON Schema of mappings files.",
    "verify": "Check the facts about the API against any server.",
    "completion": "Print a shell completion script.",
}

# The packages of commands; those in none of them are in `commands` itself.
_PACKAGES: dict[str, tuple[str, ...]] = {
    "commands.server": (
        "context",
        "copy",
        "dev",
        "edge",
        "env",
        "followers",
        "health",
        "migrate",
        "promote",
        "proxy",
        "publish",
        "serve",
        "stop",
        "wait",
        "xds",
    ),
    "commands.tier": ("cache", "catalogue", "pool", "regions", "resolve", "topology", "whatif"),
    "commands.plan": ("apply", "drift", "dump", "import", "init", "plan", "schema"),
}


class _Commands(click.Group):
    """Loads only the command that is run: each pulls in libraries that the others do not need."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _passwords_hidden():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> object:
        with _passwords_hidden():
            try:
                return super().invoke(ctx)
            except click.UsageError as error:
                name_variable(error)
                raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        with _uncollected():
            module = importlib.import_module(module_of(cmd_name))
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def module_of(name: str) -> str:
    """The module of a command."""
    package = next((p for p, names in _PACKAGES.items() if name in names), "commands")
    return f"originmap.cli.{package}.{name.replace('-', '_')}{'_' * keyword.iskeyword(name)}"


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile, nor ever among what is made: modules stay until the end, and
    a server that starts would look through them a hundred times."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class _WrongUse(click.UsageError):
    """Of a command whose exit status 2 says something else."""

    exit_code = 1


@contextlib.contextmanager
def _passwords_hidden() -> Iterator[None]:
    """A wrong command line is quoted in its error, which may be the URL of a database."""
    try:
        yield
    except click.UsageError as error:
        kind = click.UsageError if error.exit_code == click.UsageError.exit_code else _WrongUse
        raise kind(hide_passwords(error.format_message()), error.ctx) from None


@click.command(
    cls=_Commands, context_settings={"auto_envvar_prefix": "ORIGINMAP"}, epilog="Docs: docs/"
)
@click.version_option(__version__, prog_name="originmap")
@click.option(
    "--regions",
    metavar="FILE",
    help="CSV file of regions to add to the catalogue; applies to every command.",
)
def group(regions: str | None) -> None:
    """Tell caches which upper tier to fill from: a self-hosted Origin Cloud Regions API."""
    if regions:
        from originmap import data

        data.add_regions(Path(regions))


def main() -> None:
    """Run the command line; errors end it with 1 and a line that says what to do."""
    streams.open_closed_streams()
    streams.print_what_can_be_printed()
    try:
        try:
            group(prog_name="originmap")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has read enough
        streams.discard_output()
        sys.exit(1)
    except OSError as error:
        if error.errno not in _STDOUT_FULL or error.filename is not None:
            raise
        streams.discard_output()
        click.echo(f"originmap: cannot write to stdout: {error.strerror}", err=True)
        sys.exit(1)
    except OriginmapError as error:
        print_failure(error)
        sys.exit(1)
