"""The Falcon application: every route, and what becomes of errors."""

import asyncio
from collections.abc import Mapping
from typing import Any

import falcon
import falcon.asgi
from falcon.asgi import Request, Response
from falcon.routing import BaseConverter, CompiledRouter

from originmap.api import envelope, errors
from originmap.api.quick import Quick
from originmap.api.refused import refused
from originmap.api.request import info_of
from originmap.domain.access_errors import UnknownKey, UnknownToken, UnusableToken
from originmap.domain.errors import OriginmapError
from originmap.service.brake import Brake

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class _Hex32(BaseConverter):
    """An identifier of Cloudflare's form; anything else is no route."""

    def convert(self, value: str) -> str | None:
        return value if len(value) == 32 and _HEX.issuperset(value) else None


_HEX = frozenset("0123456789abcdef")


class _StrictRouter(CompiledRouter):
    """A router for which a resource has one address: no empty segments, no slash at the end."""

    def find(self, uri: str, req: falcon.Request | None = None) -> Any:
        """As CompiledRouter.find; notes which route it is."""
        if "//" in uri or uri.endswith("/"):
            return None
        found = super().find(uri, req)
        if found is not None and isinstance(req, Request):
            info_of(req.scope).route = found[3] or ""
        return found


class App:
    """Builds the application.

    `falcon` is the ASGI callable, `quick` answers some requests without it, and `allowed` says
    what is served.
    """

    def __init__(
        self, routes: Mapping[str, object], brake: Brake, quick: Quick | None = None
    ) -> None:
        """`routes`: path templates with Falcon resources."""
        self.quick = quick
        self._brake = brake
        self.falcon = falcon.asgi.App(
            media_type=envelope.JSON, middleware=None, router=_StrictRouter()
        )
        self.falcon.router_options.converters["hex32"] = _Hex32
        self.allowed: dict[str, tuple[str, ...]] = {}
        self._routes = routes
        for template, resource in routes.items():
            self._add(template, resource)
        self.falcon.add_error_handler(OriginmapError, self._on_refusal)
        self.falcon.add_error_handler(falcon.HTTPError, self._on_http_error)
        self.falcon.add_error_handler(Exception, self._on_bug)

    def _add(self, template: str, resource: Any) -> None:
        if hasattr(resource, "on_get"):
            resource.on_head = resource.on_get  # the server leaves the body out
        self.allowed[template] = tuple(
            method for method in _METHODS if hasattr(resource, f"on_{method.lower()}")
        )
        resource.on_options = self._on_options
        if hasattr(resource, "answer_headers"):
            for name in [name for name in dir(resource) if name.startswith("on_")]:
                setattr(resource, name, _announcing(resource, getattr(resource, name)))
        self.falcon.add_route(template, resource)

    async def _on_options(self, req: Request, resp: Response, **fields: str) -> None:
        _refuse(resp, self._not_allowed(req))

    async def _on_refusal(
        self, req: Request, resp: Response, error: OriginmapError, params: dict[str, Any]
    ) -> None:
        resource = self._routes[req.uri_template or ""]
        overrides = getattr(resource, "refusals", None)
        overrides = getattr(resource, f"{req.method.lower()}_refusals", overrides)
        info = info_of(req.scope)
        refusal = refused(error, req.path, info, overrides)
        if isinstance(error, UnknownToken | UnusableToken | UnknownKey):
            await asyncio.sleep(self._brake.delay(info.client))
        _refuse(resp, refusal)

    async def _on_http_error(
        self, req: Request, resp: Response, error: falcon.HTTPError, params: dict[str, Any]
    ) -> None:
        """What Falcon raises itself: no such route, or no such method on it."""
        template = req.uri_template
        if template is None:
            _refuse(resp, errors.no_route(req.path))
        elif req.method not in self.allowed[template]:
            resource: Any = self._routes[template]
            if hasattr(resource, "answer_headers"):
                info_of(req.scope).headers += resource.answer_headers(req)
            _refuse(resp, self._not_allowed(req))
        else:
            _refuse(resp, errors.refusal(error.status_code, 10400, error.title or "Bad request"))

    async def _on_bug(
        self, req: Request, resp: Response, error: Exception, params: dict[str, Any]
    ) -> None:
        _refuse(resp, refused(error, req.path, info_of(req.scope)))

    def _not_allowed(self, req: Request) -> errors.Refusal:
        allow = ", ".join(self.allowed[req.uri_template or ""])
        return errors.method_not_allowed(req.method, allow)


def _announcing(resource: Any, responder: Any) -> Any:
    """A responder whose answer, also a refusal, carries the resource's own headers."""

    async def announce(req: Request, resp: Response, **fields: str) -> None:
        info_of(req.scope).headers += resource.answer_headers(req)
        await responder(req, resp, **fields)

    return announce


def _refuse(resp: Response, refusal: errors.Refusal) -> None:
    resp.status = refusal.status
    resp.data = envelope.failure(refusal.errors)
    resp.content_type = envelope.JSON  # whatever the answer would have been
    for name, value in refusal.headers:
        resp.set_header(name, value)
