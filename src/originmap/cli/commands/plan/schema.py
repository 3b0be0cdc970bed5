"""originmap schema: the JSON Schema of files of mappings, for editors."""

import click

from originmap.mapfile.schema import text


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of files of mappings: editors complete and check with it.

    Example: originmap schema
    """
    click.echo(text(), nl=False)
