"""The application of `originmap dev`: it applies faults, checks strictly, and keeps a journal."""

import time
from collections.abc import Callable, Iterable
from functools import partial

from originmap.api import errors
from originmap.api.application import Application, Pages, refusal_response
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Deferred, Response
from originmap.api.http.router import Route
from originmap.dev.basis import READ, BasisFinder, FactBasis
from originmap.dev.injection import apply_fault
from originmap.dev.instruments import Instruments
from originmap.dev.journal import NO_REMARK, JournalEntry, Remark
from originmap.dev.operations import Operation, Operations
from originmap.dev.strictness import CODE
from originmap.service.access.brake import Brake

_CLOUDFLARE = "/client/v4/"
_UNLISTED = ("/originmap/dev/", "/healthz", "/readyz", "/metrics", "/ui")

Handle = Callable[[Request], Answer]


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
            (method, route.template): (operation, *self._finding(operation))
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

    def _finding(
        self, operation: Operation
    ) -> tuple[BasisFinder | None, dict[str, FactBasis] | None]:
        if self._finder is None or not operation.of_cloudflare:
            return None, None
        return self._finder, self._finder.of_reads if operation.name == READ else None

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
        remark = self._remarks.pop(request.id, NO_REMARK) if self._remarks else NO_REMARK
        served = self._served.get((request.method, request.route))
        operation = None
        basis = None
        if served is not None:
            operation, finder, of_reads = served
            if finder is not None and (remark is NO_REMARK or not remark.made_up):
                if of_reads is not None and response.status == 200:
                    basis = of_reads.get(request.arguments["origin_ip"])
                if basis is None:
                    basis = finder.of(operation, request, response, self._clock)
                request.answer_headers += basis.headers
        elif request.path.startswith(_UNLISTED):
            return response
        else:
            basis = self._basis_of_nothing(request, response)
        if self._journal.keeps:
            self._journal.add(
                JournalEntry(
                    time.time_ns(),
                    self._clock.setting,
                    operation,
                    basis,
                    remark,
                    request.method,
                    request.path,
                    request.query,
                    request.headers,
                    request.body,
                    request.id,
                    response.status,
                    response.body,
                )
            )
        return response

    def _basis_of_nothing(self, request: Request, response: Response) -> FactBasis | None:
        if self._finder is None or not request.path.startswith(_CLOUDFLARE):
            return None
        basis = self._finder.of_no_operation(response)
        request.answer_headers += basis.headers
        return basis
