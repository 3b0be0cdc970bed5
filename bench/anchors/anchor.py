"""How the anchors are served: one uvicorn, set up the way Originmap sets up its own."""

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
    """Serve until SIGTERM: uvloop, httptools, and nothing that costs time and is not needed."""
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
