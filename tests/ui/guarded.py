"""An `originmap serve` process, whose page needs a token, and tokens for it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
from playwright.sync_api import Page

from tests.process import COMMAND, Server

COOKIE = "originmap_session"


class Token(NamedTuple):
    """A token by its ID, with its secret."""

    id: str
    secret: str


class Guarded(NamedTuple):
    """The server by its URL, with a client that has every right."""

    url: str
    api: httpx.Client

    def token(self, access: str, *zones: str, name: str = "test") -> Token:
        """A new token."""
        asked = {"name": name, "access": access, "zones": zones}
        made = self.api.post("/originmap/v1/tokens", json=asked)
        assert made.status_code == 200, made.text
        return Token(made.json()["result"]["id"], made.json()["result"]["secret"])

    def revoke(self, token: Token) -> None:
        """End a token."""
        self.api.delete(f"/originmap/v1/tokens/{token.id}").raise_for_status()


@contextmanager
def started(folder: Path) -> Iterator[Guarded]:
    """A running server with data in memory's place: a file in `folder`."""
    db = folder / "guarded.db"
    with Server(str(db), folder, "serve") as server:
        command = [COMMAND, "token", "create", "root", "--zone", "all", "--access", "everything"]
        done = subprocess.run([*command, "--db", str(db)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
        with httpx.Client(base_url=server.url, headers=headers) as api:
            yield Guarded(server.url, api)


def sign_in(page: Page, secret: str) -> None:
    """Sign in as a person does."""
    page.goto("/ui/")
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Sign in").click()
