"""Reads a stream of events like a client."""

import asyncio
import json

import httpx

from tests.real.cluster.fleet import PATIENCE

ACCEPT = {"Accept": "text/event-stream"}


class Event:
    """An event of a stream (HTML Standard §9.2.6)."""

    def __init__(self, text: str) -> None:
        fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line[1:])
        self.id, self.name = fields.get("id", ""), fields.get("event", "")
        self.data = json.loads(fields.get("data", "null"))


class Events:
    """Reads a stream; comments are skipped."""

    def __init__(self, answer: httpx.Response) -> None:
        self._pieces = answer.aiter_text()
        self._rest = ""

    async def next(self) -> Event | None:
        async with asyncio.timeout(PATIENCE):
            while True:
                text, found, rest = self._rest.partition("\n\n")
                if found:
                    self._rest = rest
                    if not text.startswith(":"):
                        return Event(text)
                    continue
                piece = await anext(self._pieces, None)
                if piece is None:
                    return None
                self._rest += piece
