"""The route of a path."""

import pytest

from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.http.router import Route, Router

ID = "0123456789abcdef0123456789abcdef"
TEMPLATES = (
    "/zones", "/zones/{zone_id:hex32}", "/zones/{zone_id:hex32}/regions/batch",
    "/zones/{zone_id:hex32}/regions/{origin_ip}", "/named/{zone}/resolve",
)  # fmt: skip


def nobody(request: Request) -> None:
    """Authorizes every request."""


def nothing(request: Request) -> Response:
    return Response()


def route(method: str, template: str) -> Route:
    return Route(method, template, nobody, nothing)


ROUTER = Router([route("GET", template) for template in TEMPLATES])


@pytest.mark.parametrize(
    ("path", "template", "arguments"),
    [
        ("/zones", "/zones", {}),
        (f"/zones/{ID}", "/zones/{zone_id:hex32}", {"zone_id": ID}),
        (f"/zones/{ID}/regions/batch", TEMPLATES[2], {"zone_id": ID}),
        (f"/zones/{ID}/regions/b%2Fc", TEMPLATES[3], {"zone_id": ID, "origin_ip": "b%2Fc"}),
        ("/named/example.com/resolve", TEMPLATES[4], {"zone": "example.com"}),
    ],
)
def test_a_path_has_one_route_and_its_arguments(
    path: str, template: str, arguments: dict[str, str]
) -> None:
    found = ROUTER.find(path)
    assert found is not None
    assert (found[0].template, found[1]) == (template, arguments)


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "zones", "/zones/", "//zones", "/zones/x", f"/zones/{ID.upper()}", f"/zones/{ID}0",
        f"/zones/{ID}/", f"/zones/{ID}/regions", f"/zones/{ID}/regions/", "/named//resolve",
        f"/zones/{ID}/regions/a/b", "/nothing",
    ],
)  # fmt: skip
def test_any_other_spelling_of_a_path_has_no_route(path: str) -> None:
    assert ROUTER.find(path) is None


def test_head_is_supported_with_get_and_allow_lists_the_methods() -> None:
    found = Router([route("PUT", "/a"), route("GET", "/a"), route("DELETE", "/a")]).find("/a")
    assert found is not None
    assert found[0].allowed == "GET, HEAD, PUT, DELETE"


def test_two_routes_for_one_path_are_an_error() -> None:
    with pytest.raises(ValueError, match="two routes for GET /a"):
        Router([route("GET", "/a"), route("GET", "/a")])
    with pytest.raises(ValueError, match=r"two routes for PUT /a/\{y\}"):
        Router([route("GET", "/a/{x}"), route("PUT", "/a/{y}")])
