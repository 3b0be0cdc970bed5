"""Rows as they are printed: a table, or JSON."""

import click
import msgspec


def print_json(rows: list[dict[str, object]]) -> None:
    """Rows as a JSON array, a line each."""
    lines = ",\n".join("  " + msgspec.json.encode(row).decode() for row in rows)
    click.echo(f"[\n{lines}\n]" if rows else "[]")


def print_object(value: object) -> None:
    """A value as JSON, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_table(
    rows: list[dict[str, object]], columns: tuple[str, ...], *, err: bool = False
) -> None:
    """Rows as aligned columns under a heading; with `err` to stderr."""
    cells = [columns, *(tuple(_cell(row.get(name, "")) for name in columns) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip(), err=err)


def _cell(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
