"""The application of `originmap dev`: it applies faults, checks strictly, and keeps a journal."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from originmap.api import errors
from originmap.api.application import Application, Pages, refusal_response
from originmap.api.http.link import Link
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Deferred, Response
from originmap.api.http.router import Route
from originmap.dev.basis import BasisFinder, FactBasis
from originmap.dev.faults import Fault
from originmap.dev.injection import apply_fault
from originmap.dev.instruments import Instruments
from originmap.dev.journal import JournalEntry
from originmap.dev.operations import Operation, Operations
from originmap.dev.strictness import CODE
from originmap.service.access.brake import Brake

_CLOUDFLARE = "/client/v4/"
_UNLISTED = ("/originmap/dev/", "/healthz", "/readyz", "/metrics", "/ui")

Handle = Callable[[Request], Answer]


class Remark(NamedTuple):
    """What happened to a request besides its response."""

    fault: Fault | None
    problems: Sequence[str]

    @property
    def made_up(self) -> bool:
        """Whether the response is none of Cloudflare's: a fault, or a strict check, made it."""
        return bool(self.problems) or (self.fault is not None and not self.fault.answered)


_NO_LINK = Link()


class DevApplication(Application):
    """Answers requests as `Application` does, unless a test wants something else."""

    def __init__(
        self,
        routes: Iterable[Route],
        brake: Brake,
        operations: Operations,
        instruments: Instruments,
        finder: BasisFinder | None,
        pages: Pages | None = None,
    ) -> None:
        self._operations = operations
        self._clock, self._faults, self._journal, self._strictness = instruments
        self._finder = finder
        self._plain = finder is None and not self._journal.keeps
        self._remarks: dict[str, Remark] = {}  # on requests without a response yet, by ID
        super().__init__(map(self._tested, routes), brake, pages)
        self._served = {
            (method, route.template): (operation, finder if operation.of_cloudflare else None)
            for route in self.routes
            if (operation := operations.at(route.method, route.template)) is not None
            if not route.template.startswith(_UNLISTED)
            for method in {route.method, "HEAD" if route.method == "GET" else route.method}
        }

    def answer(self, request: Request) -> Answer | None:
        """The response to a request; None if its body is needed and has not arrived."""
        answer = super().answer(request)
        # The responses of coroutines and deferred ones come to `made`.
        return self._noted(request, answer) if isinstance(answer, Response) else answer

    def stop(self) -> None:
        """The server stops: end what waits for requests."""
        self._journal.stop()

    def made(self, request: Request, answer: Deferred) -> Response:
        """The response to `request` whose deferred result is ready."""
        return self._noted(request, super().made(request, answer))

    def _tested(self, route: Route) -> Route:
        operation = self._operations.at(route.method, route.template)
        if operation is None or not operation.of_cloudflare:
            return route
        return route._replace(handle=partial(self._handle, operation, route.handle))

    def _handle(self, operation: Operation, handle: Handle, request: Request) -> Answer:
        if self._strictness.on:
            problems = self._strictness.problems(operation, request)
            if problems:
                self._remarks[request.id] = Remark(None, problems)
                text = f"strict: {'; '.join(problems)}"
                return refusal_response(errors.refusal(400, CODE, text))
        fault = self._faults.take(operation) if self._faults else None
        if fault is None:
            return handle(request)
        self._remarks[request.id] = Remark(fault, ())
        return apply_fault(fault, operation, handle, request)

    def _noted(self, request: Request, response: Response) -> Response:
        """Add the request to the journal, and the basis of the response to its headers."""
        if self._plain:
            return response
        remark = self._remarks.pop(request.id, None) if self._remarks else None
        served = self._served.get((request.method, request.route))
        operation = None
        basis = None
        if served is not None:
            operation, finder = served
            if finder is not None and not (remark and remark.made_up):
                basis = finder.of(operation, request, response, self._clock)
                request.answer_headers += basis.headers
        elif request.path.startswith(_UNLISTED):
            return response
        else:
            basis = self._basis_of_nothing(request, response)
        if self._journal.keeps:
            if response.stream is None:
                request.link = _NO_LINK  # the journal must not keep the connection
            entry = JournalEntry(self._clock.now(), operation, request, response, basis)
            self._journal.add(entry if remark is None else entry._replace(**remark._asdict()))
        return response

    def _basis_of_nothing(self, request: Request, response: Response) -> FactBasis | None:
        if self._finder is None or not request.path.startswith(_CLOUDFLARE):
            return None
        basis = self._finder.of_no_operation(response)
        request.answer_headers += basis.headers
        return basis
