"""Templates to responses: every value is escaped, an undefined one is an error."""

import gzip
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from originmap.api.http.request import Request
from originmap.api.http.response import Headers, Response
from originmap.api.timestamps import parse_timestamp
from originmap.api.ui.assets import Assets, accepts_gzip

HTML = "text/html; charset=utf-8"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Headers = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
)
"""Of every page. With the policy `no-referrer` browsers would send `Origin: null` with forms."""
_SMALL = 1_024
_CODE = re.compile("`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")


class PageRenderer:
    """Renders the packaged templates."""

    def __init__(self, assets: Assets, **common: object) -> None:
        """The values in `common` are for all templates."""
        self._environment = Environment(
            loader=PackageLoader("originmap.api.ui"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(asset=assets.url, **common)
        self._environment.filters.update(moment=moment, number=number, prose=prose, json=indented)

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: Headers = (),
        **values: Any,
    ) -> Response:
        """The response with a page."""
        html = self._environment.get_template(template).render(**values).encode()
        headers = HEADERS + headers
        if len(html) > _SMALL and accepts_gzip(request):
            html = gzip.compress(html, 5)
            headers += (("content-encoding", "gzip"), ("vary", "Accept-Encoding"))
        return Response(html, status, headers, HTML)


def moment(text: str | None) -> Markup:
    """A time of the API for people, in one line: 2026-03-01 12:00:00 UTC; nothing for None."""
    if text is None:
        return Markup()
    at = datetime.fromtimestamp(parse_timestamp(text) // 1_000_000, UTC)
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M:%S} UTC</time>').format(text, at)


def number(value: float) -> str:
    """A number with a comma between thousands."""
    return f"{value:,}"


def prose(text: str) -> Markup:
    """Text with paragraphs, `code` and **emphasis**, as descriptions have it; everything else is
    escaped."""
    html = str(escape(text.strip()))
    html = _STRONG.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", html))
    paragraphs = (f"<p>{each}</p>" for each in re.split(r"\n\s*\n", html) if each)
    return Markup("".join(paragraphs))  # noqa: S704


def indented(value: object) -> str:
    """A value as JSON in several lines."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()
