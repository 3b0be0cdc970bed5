"""Runs an anchor: one uvicorn with the same settings as Originmap's own."""

import argparse
from pathlib import Path
from typing import Any

import uvicorn


def arguments(description: str | None) -> tuple[Path, int]:
    """The database file and the port from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--db", type=Path, required=True)
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
