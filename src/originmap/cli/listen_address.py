"""The addresses that a server listens on, as the command line reads and shows them."""

import ipaddress
import socket
from collections.abc import Callable
from typing import TypeVar

import click

from originmap.cli import option_types
from originmap.domain import number
from originmap.settings import default_of, help_of

F = TypeVar("F", bound=Callable[..., object])


def base_url(host: str, port: int) -> str:
    """The address to give to clients."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether every address that `host` stands for is a loopback address."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True  # listening will say what is wrong with it
    return all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)


def host(command: F) -> F:
    """--host"""
    return click.option(
        "--host",
        default=default_of("host"),
        show_default=True,
        help=help_of("host"),
        envvar="ORIGINMAP_HOST",
    )(command)


def port(command: F) -> F:
    """--port"""
    return click.option(
        "--port",
        default=default_of("port"),
        show_default=True,
        help=help_of("port"),
        type=option_types.Whole(0, 65_535),
        envvar="ORIGINMAP_PORT",
    )(command)


def xds(default: str = "") -> Callable[[F], F]:
    """--xds with its certificates"""

    def xds_(command: F) -> F:
        for name in ("xds_client_ca", "xds_key", "xds_cert"):
            command = click.option(
                f"--{name.replace('_', '-')}",
                default="",
                metavar="FILE",
                help=help_of(name),
                envvar=f"ORIGINMAP_{name.upper()}",
            )(command)
        return click.option(
            "--xds",
            default=default,
            show_default=bool(default),
            metavar="HOST:PORT",
            help=help_of("xds"),
            envvar="ORIGINMAP_XDS",
            callback=_checked_address,
        )(command)

    return xds_


def _checked_address(ctx: click.Context, param: click.Parameter, value: str) -> str:
    host, colon, port = value.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    whole = number.whole(port, 1, 65_535)
    if value and (not colon or not host.strip("[]") or whole is None or (":" in host) != bracketed):
        raise click.BadParameter(
            f"{number.shown(value)}: give HOST:PORT, as in 127.0.0.1:18000 or [::1]:18000"
        )
    return value


def check_certificates(cert: str, key: str, client_ca: str) -> None:
    """Refuse half of a certificate, and a CA for clients without TLS. Raises UsageError."""
    if bool(cert) != bool(key):
        raise click.UsageError("--xds-cert and --xds-key need each other")
    if client_ca and not cert:
        raise click.UsageError("--xds-client-ca needs --xds-cert and --xds-key")
