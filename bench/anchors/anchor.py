"""Runs an anchor: one uvicorn process, without what Originmap's own server does not do."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

Database = TypeVar("Database")


def arguments(
    description: str | None, database: Callable[[str], Database] = Path
) -> tuple[Database, int]:
    """The database, a file if nothing else is given, and the port from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--db", type=database, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    return given.db, given.port


def serve(app: Any, port: int) -> None:
    """Serve until SIGTERM, with uvloop and httptools and without optional features."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
