"""The cases under load: their requests and servers.

All servers of a case run at the same time and hold the same zone; an idle server costs the others
nothing.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.harness import dataset
from bench.harness.dataset import Request
from bench.harness.figures import Figures, median
from bench.harness.rounds import Bench, Subject
from bench.harness.servers import (
    BARE_ASGI,
    BARE_FALCON,
    ORIGINMAP,
    PROGRAMS,
    USUAL_STACK,
    Failed,
    Program,
    Server,
)


@dataclass(frozen=True)
class Case:
    """One kind of request, the same for every server that serves it.

    `requests` takes the number of the run, so that consecutive runs write different values. One
    request stands for `per_request` of `unit`.
    """

    name: str
    unit: str
    programs: tuple[Program, ...]
    requests: Callable[[int], list[Request]]
    per_request: int = 1


_BOTH = (ORIGINMAP, USUAL_STACK)

GET = Case(
    "GET one",
    "requests/s",
    (ORIGINMAP, BARE_ASGI, BARE_FALCON, USUAL_STACK),
    lambda run: dataset.get_one(),
)
PUT = Case("PUT one, durable", "requests/s", _BOTH, dataset.put_one)
BATCH = Case(
    "PUT batch of 100, durable", "mappings/s", _BOTH, dataset.put_batch, dataset.BATCH_SIZE
)
LIST = Case("list, 100 a page", "pages/s", _BOTH, lambda run: dataset.list_pages())

CASES = {"get": GET, "put": PUT, "batch": BATCH, "list": LIST}


def measure(bench: Bench, cases: Sequence[Case]) -> Figures:
    """Start the servers, fill them, and run the cases."""
    needed = [p for p in PROGRAMS if any(p in case.programs for case in cases)]
    figures: Figures = {}
    with ExitStack() as stack:
        running = {
            program: stack.enter_context(Server(program, bench.database(program), bench.cores))
            for program in needed
        }
        for program in _BOTH:
            _fill(running[program])
        _check_alike([running[p] for p in needed if p is not USUAL_STACK])
        for case in cases:
            subjects = [Subject(p.name, running[p], case.requests) for p in case.programs]
            for name, samples in bench.run(case.name, subjects).items():
                figures[case.name, name] = median(samples, case.unit, case.per_request)
    return figures


def _fill(server: Server) -> None:
    for request in dataset.fill():
        server.answer(request)


def _check_alike(running: Sequence[Server]) -> None:
    """Raise Failed if a server's response to GET differs, apart from the time."""
    bodies = {server.name: server.answer(dataset.get_one()[0]) for server in running}
    shapes = set()
    for body in bodies.values():
        parsed = json.loads(body)
        parsed["result"].pop("modified_on")
        shapes.add((len(body), json.dumps(parsed, sort_keys=True)))
    if len(shapes) > 1:
        raise Failed(f"the servers have different responses to GET one: {bodies}")
