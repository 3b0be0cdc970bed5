"""The address that a server listens on, as the command line shows and checks it."""

import ipaddress
import socket


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
