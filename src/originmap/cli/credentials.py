"""Credentials of the environment and of files: what cannot be sent in a header is refused, by the
name of the variable, and never shown."""

import re

import click

from originmap.outbound.errors import UnusableEnvironment
from originmap.settings import API_VARIABLES, api_credentials

_QUOTES = "\"'`“”‘’"


def checked(source: str, value: str) -> str:
    """A token, key or address from `source`, a variable or a file. Raises UsageError."""
    problem = _problem(value)
    if problem:
        raise click.UsageError(f"{source}: the value {problem}")
    return value


def checked_api_credentials() -> tuple[str, str, str]:
    """Token, email address and key for the v4 API. Raises UnusableEnvironment."""
    token, email, key = api_credentials()
    if token:  # it counts alone
        email = key = ""
    for variable, value in zip(API_VARIABLES, (token, email, key), strict=True):
        problem = _problem(value)
        if problem:
            raise UnusableEnvironment(variable, "its value cannot be sent", f"it {problem}")
    return token, email, key


def _problem(value: str) -> str:
    if value and value[0] in _QUOTES and len(value.split()) == 1:
        return "starts with a quote: set it without quotes"
    if value.lower().startswith("bearer "):
        return "starts with Bearer: give the token alone"
    if not re.fullmatch("[!-~]*", value):
        return (
            "has characters that are in none: a blank, a line break, or one that is not ASCII;"
            " copy it again"
        )
    return ""
