"""The commands with their options and examples, from their declarations with click."""

import re
import shlex
from collections.abc import Iterator

import click

from originmap.cli import main
from scripts.reference.markdown import Inline, code, inline_of, table

_SERVER_OPTIONS = ("--db", "--server", "--context", "--token-file")
_LARGEST_RANGE = 10**9
_WIDTH = 100


def command_list() -> str:
    """A table of all commands, each with the first sentence of its help."""
    inline = _inline()
    rows = [(inline(name), inline(summary(command))) for name, command in commands()]
    return table(("command", "what it does"), rows)


def server_options() -> str:
    """The table of the options that select a server."""
    command = next(command for _, command in commands() if _asks_server(command))
    rows = [_row(option, _inline()) for option in _options(command) if _selects_server(option)]
    return table(("option", "default", ""), rows)


def general_options() -> str:
    """The table of the options before a command."""
    rows = [_row(option, _inline()) for option in _options(main.group)]
    return table(("option", "default", ""), rows)


def reference() -> str:
    """A section for each command."""
    inline = _inline()
    return "\n".join(_section(name, command, inline) for name, command in commands())


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that is not a group, by its full name."""
    yield from _below("originmap", main.group)


def summary(command: click.Command) -> str:
    """The first sentence of a command's help, without its full stop."""
    return _paragraphs(command)[0].partition(". ")[0].removesuffix(".")


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    # In the order of declaration if a group has all of them; click sorts them by name.
    for child_name in command.commands or command.list_commands(context):
        child = command.get_command(context, child_name)
        assert child is not None
        yield from _below(f"{name} {child_name}", child)


def _inline() -> Inline:
    return inline_of((name for name, _ in commands()), "cli.md")


def _section(name: str, command: click.Command, inline: Inline) -> str:
    paragraphs = _paragraphs(command)
    examples = [text for text in paragraphs if text.startswith("Example: ")]
    texts = [text for text in paragraphs if text not in examples]
    lines = [f"## {name}", "", *map(_example, examples), ""]
    for text in texts:
        lines += [inline(text), ""]
    rows = [_row(option, inline) for option in _options(command) if not _shared(option, command)]
    if rows:
        lines += [table(("option", "default", ""), rows)]
    if _asks_server(command):
        shared = ", ".join(map(code, _SERVER_OPTIONS))
        lines += [f"[Server](#choosing-a-server): {shared}.", ""]
    return "\n".join(lines)


def _paragraphs(command: click.Command) -> list[str]:
    return [" ".join(text.split()) for text in (command.help or "").strip().split("\n\n")]


def _example(paragraph: str) -> str:
    """A command line, on several lines if it is long."""
    line = paragraph.removeprefix("Example: ")
    if len(line) <= _WIDTH:
        return f"    {line}"
    lines = [""]
    for part in re.split(r" (?=--)", line):
        if lines[-1] and len(lines[-1]) + len(part) + 8 > _WIDTH:
            lines.append(part)
        else:
            lines[-1] = f"{lines[-1]} {part}".strip()
    assert shlex.split(" ".join(lines)) == shlex.split(line)
    return "    " + " \\\n        ".join(lines)


def _options(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option) and not each.hidden]


def _selects_server(option: click.Option) -> bool:
    return option.opts[0] in _SERVER_OPTIONS


def _asks_server(command: click.Command) -> bool:
    return {*_SERVER_OPTIONS} <= {option.opts[0] for option in _options(command)}


def _shared(option: click.Option, command: click.Command) -> bool:
    return _asks_server(command) and _selects_server(option)


def _row(option: click.Option, inline: Inline) -> tuple[str, str, str]:
    names = ", ".join(map(code, (*option.opts, *option.secondary_opts)))
    value = _metavar(option)
    text = inline(option.help or "") + _values(option)
    return f"{names} {value}".strip(), _default(option), text


def _metavar(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if option.metavar:
        return option.metavar.replace("|", "\\|")
    if isinstance(option.type, click.Choice | click.types._NumberRangeBase):
        return ""
    return str(option.type.name).upper()


def _values(option: click.Option) -> str:
    """The values that an option accepts, if they are few or a range."""
    if isinstance(option.type, click.Choice):
        return f" One of {', '.join(code(str(choice)) for choice in option.type.choices)}."
    if isinstance(option.type, click.IntRange | click.FloatRange):
        low, high = option.type.min, option.type.max
        if low is not None and high is not None and high < _LARGEST_RANGE:
            return f" From {_number(low)} to {_number(high)}."
    return ""


def _number(value: float) -> str:
    return f"{value:,}" if value >= 1 else f"{value:f}".rstrip("0").rstrip(".") or "0"


def _default(option: click.Option) -> str:
    if option.required:
        return "required"
    if isinstance(option.show_default, str):
        return option.show_default
    if option.is_flag:
        return ("on" if option.default else "off") if option.secondary_opts else ""
    if option.default in (None, "", ()) or not isinstance(option.default, str | int | float):
        return ""
    if isinstance(option.default, float):
        return code(f"{option.default:.12g}")
    return code(str(option.default))
