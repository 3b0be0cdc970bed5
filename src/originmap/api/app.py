"""The Falcon application: every route, and what becomes of errors."""

import logging
from collections.abc import Mapping
from typing import Any

import falcon
import falcon.asgi
from falcon.asgi import Request, Response
from falcon.routing import BaseConverter, CompiledRouter

from originmap.api import envelope, errors
from originmap.api.protocol import Quick
from originmap.api.request import info_of
from originmap.domain.errors import OriginmapError, StoreError, ZoneNotFound

_LOG = logging.getLogger(__name__)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class _Hex32(BaseConverter):
    """An identifier of Cloudflare's form; anything else is no route."""

    def convert(self, value: str) -> str | None:
        return value if len(value) == 32 and _HEX.issuperset(value) else None


_HEX = frozenset("0123456789abcdef")


class _StrictRouter(CompiledRouter):
    """A router for which a resource has one address: no empty segments, no slash at the end."""

    def find(self, uri: str, req: falcon.Request | None = None) -> Any:
        """As CompiledRouter.find."""
        if "//" in uri or uri.endswith("/"):
            return None
        return super().find(uri, req)


class App:
    """Builds the application.

    `falcon` is the ASGI callable, `quick` answers some requests without it, and `allowed` says
    what is served.
    """

    def __init__(self, routes: Mapping[str, object], quick: Quick | None = None) -> None:
        """`routes`: path templates with Falcon resources."""
        self.quick = quick
        self.falcon = falcon.asgi.App(
            media_type=envelope.JSON, middleware=None, router=_StrictRouter()
        )
        self.falcon.router_options.converters["hex32"] = _Hex32
        self.allowed: dict[str, tuple[str, ...]] = {}
        for template, resource in routes.items():
            self._add(template, resource)
        self.falcon.add_error_handler(OriginmapError, self._on_refusal)
        self.falcon.add_error_handler(falcon.HTTPError, self._on_http_error)
        self.falcon.add_error_handler(Exception, self._on_bug)

    def _add(self, template: str, resource: Any) -> None:
        if hasattr(resource, "on_get"):
            resource.on_head = resource.on_get  # the server leaves the body out
        resource.on_options = self._on_options
        self.allowed[template] = tuple(
            method for method in _METHODS if hasattr(resource, f"on_{method.lower()}")
        )
        self.falcon.add_route(template, resource)

    async def _on_options(self, req: Request, resp: Response, **fields: str) -> None:
        _refuse(resp, self._not_allowed(req))

    async def _on_refusal(
        self, req: Request, resp: Response, error: OriginmapError, params: dict[str, Any]
    ) -> None:
        if isinstance(error, ZoneNotFound) and req.uri_template != _ZONE:
            refusal = errors.no_route(req.path)
        else:
            refusal = errors.render(error)
        if isinstance(error, StoreError):
            _LOG.error("store", extra={"data": {"ray": info_of(req.scope).ray, "why": str(error)}})
        _refuse(resp, refusal)

    async def _on_http_error(
        self, req: Request, resp: Response, error: falcon.HTTPError, params: dict[str, Any]
    ) -> None:
        """What Falcon raises itself: no such route, or no such method on it."""
        template = req.uri_template
        if template is None:
            _refuse(resp, errors.no_route(req.path))
        elif req.method not in self.allowed[template]:
            _refuse(resp, self._not_allowed(req))
        else:
            _refuse(resp, errors.refusal(error.status_code, 10400, error.title or "Bad request"))

    async def _on_bug(
        self, req: Request, resp: Response, error: Exception, params: dict[str, Any]
    ) -> None:
        """Users see "internal error", the operator sees the cause."""
        ray = info_of(req.scope).ray
        _LOG.error("internal error", exc_info=error, extra={"data": {"ray": ray}})
        _refuse(resp, errors.INTERNAL)

    def _not_allowed(self, req: Request) -> errors.Refusal:
        allow = ", ".join(self.allowed[req.uri_template or ""])
        return errors.method_not_allowed(req.method, allow)


_ZONE = "/client/v4/zones/{zone_id:hex32}"


def _refuse(resp: Response, refusal: errors.Refusal) -> None:
    resp.status = refusal.status
    resp.data = envelope.failure(refusal.errors)
    for name, value in refusal.headers:
        resp.set_header(name, value)
