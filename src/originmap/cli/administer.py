"""Giving an operator's command to whoever owns the database.

While a server owns a file, commands go through its admin socket; else this process opens the
file itself. A database server can be used by any number of processes, so there it always does.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from originmap import bootstrap, databases
from originmap.admin import client, wire
from originmap.domain.errors import OriginmapError, StoreOwned, StoreUnusable
from originmap.service.administration import Command, Streamed

_PATIENCE_SECONDS = 5.0


class ServerRefused(OriginmapError):
    """The server that owns the database refused a command, or cannot be asked."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


def administer(db: str, command: Command, *, new: bool = False) -> list[dict[str, Any]]:
    """Carry a command out; what it came to, as rows of JSON. Only with `new` the database may
    be one that is not there yet. Raises OriginmapError."""

    def here() -> wire.Reply:
        return wire.Reply(msgspec.to_builtins(asyncio.run(bootstrap.administer(db, command))))

    return _by_owner(db, here, lambda: client.send(command, Path(db)), new=new).rows


def ask_server(db: str, command: Command) -> list[dict[str, Any]] | None:
    """As `administer`, by the server that owns a database alone; None where none runs."""
    reply = _through_socket(db, lambda: client.send(command, Path(db)))
    return None if reply is None else reply.rows


def stream(db: str, command: Streamed, sink: Callable[[bytes], object]) -> None:
    """Carry a command out whose answer is bytes: `sink` gets them in chunks. Raises
    OriginmapError."""

    def here() -> wire.Reply:
        asyncio.run(bootstrap.stream(db, command, sink))
        return wire.Reply()

    _by_owner(db, here, lambda: client.stream(command, Path(db), sink))


def _by_owner(
    db: str, here: Callable[[], wire.Reply], there: Callable[[], wire.Reply], *, new: bool = False
) -> wire.Reply:
    """Do it `here`, or, where another process owns the database, `there`."""
    if db == databases.MEMORY or not (new or not databases.is_file(db) or _is_there(db)):
        hint = "originmap zone create, token create and serve make a new database"
        raise StoreUnusable(db, "there is no such file", hint)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return here()
        except StoreOwned:
            reply = _through_socket(db, there)
            if reply is not None:
                return reply
            # The owner is starting or stopping: its socket is not there yet, or no longer.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _is_there(db: str) -> bool:
    """Whether a file may be there; where nobody can look, opening it says why."""
    try:
        Path(db).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def print_json(rows: list[dict[str, Any]]) -> None:
    """Rows as a JSON array, a line each."""
    lines = ",\n".join("  " + msgspec.json.encode(row).decode() for row in rows)
    click.echo(f"[\n{lines}\n]" if rows else "[]")


def print_table(rows: list[dict[str, Any]], columns: tuple[str, ...], *, err: bool = False) -> None:
    """Rows as aligned columns under a heading; with `err` to stderr."""
    cells = [columns, *(tuple(_cell(row.get(name, "")) for name in columns) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip(), err=err)


def _cell(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _through_socket(db: str, there: Callable[[], wire.Reply]) -> wire.Reply | None:
    """What the server answered; None when nobody listens. A server that answers is not asked
    twice: it may have done it."""
    try:
        reply = there()
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except PermissionError as error:
        raise ServerRefused(
            f"the server's admin socket beside {db} belongs to another user",
            "run this as the user that runs the server",
        ) from error
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise ServerRefused(f"the server broke off: {error}", "look before trying again") from error
    if reply.error:
        raise ServerRefused(reply.error, reply.hint)
    return reply
