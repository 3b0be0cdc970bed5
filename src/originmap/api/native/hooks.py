"""Webhooks: /originmap/v1/hooks[/{hook}[/dead|/test]]."""

from typing import Annotated

import msgspec

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, read_as
from originmap.api.timestamps import timestamp
from originmap.domain.errors import InvalidQuery
from originmap.domain.history.change import LAST_REVISION
from originmap.domain.hook.hook import MAX_LETTERS, DeadLetter
from originmap.domain.number import whole
from originmap.service.hook.hooks import Hooks, HookStatus

_MOST_KINDS = 100
"""Maximum of kinds in a request, several times all that there are."""


class _NewHook(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    on: Annotated[list[str], msgspec.Meta(max_length=_MOST_KINDS)]
    secret: str
    name: str = ""


class _Retry(msgspec.Struct, forbid_unknown_fields=True):
    revisions: Annotated[list[int], msgspec.Meta(max_length=MAX_LETTERS)] = []


_NEW_HOOK = msgspec.json.Decoder(_NewHook)
_RETRY = msgspec.json.Decoder(_Retry)


class HookRoutes:
    """GET, POST /originmap/v1/hooks, and what is below each hook"""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    def list_hooks(self, request: Request) -> Response:
        """Every hook with its position, without secrets."""
        arguments(request, ())
        return Response(envelope.success([_hook_json(status) for status in self._hooks.all()]))

    async def add_hook(self, request: Request) -> Response:
        """Add a hook; the response has no secret."""
        body = read_as(request, _NEW_HOOK)
        members = body.name, body.url, body.on, body.secret
        return Response(
            envelope.success(_hook_json(await self._hooks.add(*members, request.cause())))
        )

    async def remove_hook(self, request: Request) -> Response:
        """Remove a hook with its dead letters."""
        arguments(request, ())
        name = request.arguments["hook"]
        await self._hooks.remove(name, request.cause())
        return Response(envelope.success({"name": name}))

    async def test_hook(self, request: Request) -> Response:
        """Send a ping and wait for the receiver."""
        arguments(request, ())
        problem = await self._hooks.test(request.arguments["hook"], request.cause())
        return Response(envelope.success({"delivered": not problem, "problem": problem}))

    def list_letters(self, request: Request) -> Response:
        """The dead letters of a hook, oldest first."""
        arguments(request, ())
        found = self._hooks.letters(request.arguments["hook"])
        letters = [_letter_json(letter) for letter in found.letters]
        return Response(envelope.success({"letters": letters, "dropped": found.dropped}))

    async def retry_letters(self, request: Request) -> Response:
        """Let dead letters be sent again, once; all without `revisions`."""
        body = read_as(request, _RETRY)
        name = request.arguments["hook"]
        count = await self._hooks.retry(name, body.revisions, request.cause())
        return Response(envelope.success({"count": count}))

    async def discard_letters(self, request: Request) -> Response:
        """Forget dead letters; all without the argument `revision`."""
        texts = arguments(request, ("revision",)).get("revision", [])
        revisions = [whole(text, 0, LAST_REVISION) for text in texts]
        known = [revision for revision in revisions if revision is not None]
        if len(known) < len(texts):
            raise InvalidQuery("revision must be a whole number")
        name = request.arguments["hook"]
        count = await self._hooks.discard(name, known, request.cause())
        return Response(envelope.success({"count": count}))


def _hook_json(status: HookStatus) -> dict[str, object]:
    hook, position, dead = status
    return {
        "name": hook.name,
        "url": hook.url,
        "on": hook.on,
        "created_on": timestamp(hook.created_on),
        "revision": position.revision,
        "attempts": position.attempts,
        "problem": position.problem,
        "failing_since": _time(position.failing_since),
        "retry_at": _time(position.retry_at),
        "dead_letters": dead,
    }


def _letter_json(letter: DeadLetter) -> dict[str, object]:
    return {
        "revision": letter.revision,
        "died_on": timestamp(letter.died_on),
        "problem": letter.problem,
        "retry": letter.retry,
    }


def _time(moment: int) -> str | None:
    return timestamp(moment) if moment else None
