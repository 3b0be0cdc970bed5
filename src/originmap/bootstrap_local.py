"""Answers the operator's requests in this process, for a database that no server has open."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace

from originmap.api.application import Application
from originmap.api.http.link import Link
from originmap.api.http.request import Request
from originmap.api.request_ids import RequestIDs
from originmap.bootstrap import open_store
from originmap.bootstrap_application import DEFAULTS, build_app
from originmap.client.server import Sink
from originmap.service import initial_data

_LINK = Link()
_LINK.of_operator = True
_SETTINGS = replace(DEFAULTS, metrics=False)


class InProcessApplication:
    """The application over a database that is open in this process."""

    def __init__(self, application: Application, runner: asyncio.Runner) -> None:
        self._application = application
        self._runner = runner
        self._ids = RequestIDs()

    def answer(self, method: str, target: str, body: bytes, sink: Sink) -> tuple[int, bytes]:
        """The status and the body of the response; a streamed body goes to `sink` in chunks."""
        request = Request(method, target, {}, "", self._ids.next(), link=_LINK)
        request.body = body
        return self._runner.run(self._answer(request, sink))

    async def _answer(self, request: Request, sink: Sink) -> tuple[int, bytes]:
        response = await self._application.response(request)
        if response.stream is not None:
            async with contextlib.aclosing(response.stream) as chunks:
                async for chunk in chunks:
                    sink(chunk)
        return response.status, response.body


@contextlib.contextmanager
def local_application(db: str) -> Iterator[InProcessApplication]:
    """Open a database; close it on exit. Raises StoreError."""
    with asyncio.Runner() as runner:
        opening = open_store(db, initial_data.prepare_to_administer, serves=False)
        opened = runner.run(opening.__aenter__())
        try:
            yield InProcessApplication(build_app(opened, lambda: True, _SETTINGS), runner)
        finally:
            runner.run(opening.__aexit__(None, None, None))
