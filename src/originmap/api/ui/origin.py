"""Which site a request comes from, as browsers say it.

Browsers send `Sec-Fetch-Site` to secure origins and `Origin` with every POST. What they do not send
is not checked: every form has a CSRF token, and the cookie is SameSite=Strict.
"""

from urllib.parse import urlsplit

from originmap.api.http.request import Request


def is_foreign(request: Request) -> bool:
    """Whether another site made a browser send this request."""
    site = request.header(b"sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.header(b"origin")
    return origin is not None and urlsplit(origin).netloc != request.header(b"host")


def is_secure(request: Request) -> bool:
    """Whether the browser has loaded the page by https. The server itself speaks http, so this is
    what the browser says in `Origin`; headers of proxies are not trusted."""
    return (request.header(b"origin") or "").startswith("https://")


def is_local(request: Request) -> bool:
    """Whether the client is on this machine."""
    client = request.client.removeprefix("::ffff:")
    return client == "::1" or client.startswith("127.")
