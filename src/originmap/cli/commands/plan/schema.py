"""originmap schema: the JSON Schema of mappings files, for editors."""

import click

from originmap.mapfile.document import schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of mappings files.

    Editors use it for completion and validation.

    Example: originmap schema > mappings.schema.json
    """
    click.echo(schema(), nl=False)
