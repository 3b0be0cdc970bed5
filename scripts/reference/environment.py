"""The settings of a server and the environment variables, from their declarations."""

from collections import defaultdict
from dataclasses import fields

import click

from originmap.settings import VARIABLES, Settings
from scripts.reference.commands import commands
from scripts.reference.markdown import Inline, code, inline_of, table

_PAGE = "settings.md"
_SERVERS = ("originmap serve", "originmap dev")
_OPTIONS = {"token": "token_file"}
"""The parameters of settings with another name."""


def settings() -> str:
    """The table of settings, with the option and the environment variables of each."""
    rows = []
    inline = _inline()
    for field in fields(Settings):
        found = _parameters(_OPTIONS.get(field.name, field.name))
        names = [
            name for option in found.values() for name in (*option.opts, *option.secondary_opts)
        ]
        variables = [
            name for command, option in found.items() for name in _variables(command, option)
        ]
        rows.append(
            (
                code(field.name),
                ", ".join(map(code, dict.fromkeys(names))) or "none",
                ", ".join(map(code, dict.fromkeys(variables))) or "none",
                inline(str(field.metadata["help"])),
            )
        )
    return table(("setting", "option", "environment", ""), rows)


def variables() -> str:
    """The table of environment variables: first those of options."""
    named: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for _, command in commands():
        for option in command.params:
            if isinstance(option, click.Option) and isinstance(option.envvar, str):
                named[option.envvar][option.opts[0]] = None
    inline = _inline()
    rows = [
        (code(variable), "commands with the option", f"Value of {', '.join(map(code, options))}.")
        for variable, options in sorted(named.items())
    ]
    rows += [(code(each.name), inline(each.scope), inline(each.help)) for each in VARIABLES]
    return table(("variable", "applies to", "meaning"), rows)


def _inline() -> Inline:
    return inline_of((name for name, _ in commands()), _PAGE)


def _parameters(name: str) -> dict[str, click.Option]:
    """The option of a setting, by the command that declares it."""
    by_name = dict(commands())
    return {
        server: option
        for server in _SERVERS
        for option in by_name[server].params
        if isinstance(option, click.Option) and option.name == name
    }


def _variables(command: str, option: click.Option) -> list[str]:
    """The variables of an option: declared, or derived by click from the command."""
    if isinstance(option.envvar, str):
        own = [option.envvar]
        return ["ORIGINMAP_TOKEN", *own] if option.name == "token_file" else own
    return [f"{command} {option.name}".upper().replace(" ", "_")]
