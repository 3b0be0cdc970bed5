"""Printing the error that ends a command, or that makes it wait."""

import click

from originmap.domain.errors import OriginmapError
from originmap.domain.redaction import hide_passwords


def print_failure(error: OriginmapError) -> None:
    """Print what is wrong, what to do about it, and the page that says more, to stderr."""
    click.echo(f"originmap: {_safe(str(error))}", err=True)
    if error.hint:
        click.echo(f"  {_safe(error.hint)}", err=True)
        if error.page:
            click.echo(f"  see docs/{error.page}", err=True)


def print_wait(seconds: float, why: str) -> None:
    """Print that a command waits before it repeats a request, and why, to stderr."""
    click.echo(f"waiting {seconds:.0f} s: {_safe(why)}", err=True)


def print_slow(host: str) -> None:
    """Print that a command waits for the answer of a host, to stderr."""
    click.echo(f"waiting for an answer of {host}", err=True)


def _safe(text: str) -> str:
    """A text that can quote other programs, without passwords and terminal control characters."""
    shown = hide_passwords(text)
    return "".join(each if each.isprintable() or each == "\n" else " " for each in shown)
