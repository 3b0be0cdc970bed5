"""The option --url of commands for a development server."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from originmap.cli import options
from originmap.cli.dev import detached

F = TypeVar("F", bound=Callable[..., Any])

_DEFAULT_URL = "http://127.0.0.1:8787"


def server_url(help_: str) -> Callable[[F], F]:
    """--url; without it, the server in the background, or the default address of a server"""
    return click.option(
        "--url",
        metavar="URL",
        callback=_given_or_running,
        default="",
        show_default=f"the server in the background, or {_DEFAULT_URL}",
        help=help_,
    )


def _given_or_running(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value:
        return options.checked_url(ctx, param, value)
    running = detached.find()
    return running.url if running else _DEFAULT_URL
