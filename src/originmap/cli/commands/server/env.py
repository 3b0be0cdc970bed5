"""originmap env: the environment variables for a development server."""

import json
import shlex

import click

from originmap.cli.dev.url_option import server_url
from originmap.cli.dev.well_known import access_to
from originmap.dev_access import OTHER_CREDENTIALS, variables


@click.command("env")
@server_url("Development server to use.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["sh", "fish", "powershell", "json"]),
    default="sh",
    show_default=True,
    help="Shell to print commands for.",
)
def command(url: str, format_: str) -> None:
    """Print the environment variables that make official tools use a development server.

    Example: originmap env --format fish

    In a shell: eval "$(originmap env)"
    """
    access = access_to(url)
    values = variables(access)
    if format_ == "json":
        click.echo(json.dumps(values, indent=1))
        return
    for name, value in values.items():
        click.echo(_set(format_, name, value))
    for name in OTHER_CREDENTIALS:
        click.echo(_unset(format_, name))


def _set(shell: str, name: str, value: str) -> str:
    if shell == "fish":
        return f"set -gx {name} {shlex.quote(value)}"
    if shell == "powershell":
        return f"$Env:{name} = '{value}'"
    return f"export {name}={shlex.quote(value)}"


def _unset(shell: str, name: str) -> str:
    if shell == "fish":
        return f"set -e {name}"
    if shell == "powershell":
        return f"Remove-Item Env:{name} -ErrorAction SilentlyContinue"
    return f"unset {name}"
