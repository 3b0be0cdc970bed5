"""The proxy for a server from the environment, by the rules of curl and other tools."""

import pytest

from originmap.domain.proxy import InvalidProxy, proxy_for
from originmap.domain.server_url import parse

ONE = "http://proxy.example.net:3128"


def chosen(url: str, **environment: str) -> str | None:
    proxy = proxy_for(parse(url), environment)
    return None if proxy is None else proxy.url


@pytest.mark.parametrize(
    ("environment", "http", "https"),
    [
        ({}, None, None),
        ({"HTTP_PROXY": ONE}, ONE, None),
        ({"https_proxy": ONE}, None, ONE),
        ({"ALL_PROXY": ONE}, ONE, ONE),
        ({"all_proxy": "http://other:1", "HTTP_PROXY": ONE}, ONE, "http://other:1"),
        ({"http_proxy": ONE, "HTTP_PROXY": "http://other:1"}, ONE, None),
        ({"http_proxy": "", "HTTP_PROXY": ONE}, None, None),
        ({"HTTP_PROXY": "  "}, None, None),
        ({"HTTP_PROXY": " proxy.example.net:3128/ "}, ONE, None),
        ({"ALL_PROXY": "socks5h://[::1]:1080", "HTTP_PROXY": ONE}, ONE, "socks5h://[::1]:1080"),
        ({"ALL_PROXY": "nonsense://x", "HTTP_PROXY": ONE, "HTTPS_PROXY": ONE}, ONE, ONE),
        ({"FTP_PROXY": "x:y:z", "http_proxy": "https://p"}, "https://p", None),
    ],
    ids=repr,
)
def test_the_scheme_decides_which_variable_is_used(
    environment: dict[str, str], http: str | None, https: str | None
) -> None:
    assert chosen("http://example.org", **environment) == http
    assert chosen("https://example.org", **environment) == https


@pytest.mark.parametrize(
    ("url", "exceptions"),
    [
        ("http://example.org", "*"),
        ("http://example.org", "localhost, example.org"),
        ("http://example.org", "localhost example.org"),
        ("http://www.example.org", "example.org"),
        ("http://www.example.org", ".example.org"),
        ("http://example.org", ".EXAMPLE.org."),
        ("http://www.example.org", "*.example.org"),
        ("http://example.org:8787", "example.org:8787"),
        ("http://example.org", "example.org:80"),
        ("http://example.org", "http://example.org"),
        ("http://example.org", "all://example.org"),
        ("http://192.0.2.1", "192.0.2.1"),
        ("http://192.0.2.1", "192.0.2.0/24"),
        ("http://192.0.2.1", "192.0.2.77/24"),
        ("http://192.0.2.1:8787", "192.0.2.1:8787"),
        ("http://[::1]:8787", "localhost,::1/128"),
        ("http://[::1]:8787", "[::1]"),
        ("http://[::1]:8787", "[::1]:8787"),
        ("http://[::1]:8787", "[::1]/128"),
        ("http://[::1]", "0:0:0:0:0:0:0:1"),
        ("http://[fd00::5]", "fd00::/8"),
        ("http://[::ffff:192.0.2.1]", "192.0.2.0/24"),
    ],
)
def test_no_proxy_lists_servers_for_direct_connections(url: str, exceptions: str) -> None:
    assert chosen(url, HTTP_PROXY="no proxy at all: \n", NO_PROXY=exceptions) is None


@pytest.mark.parametrize(
    "exceptions",
    [
        "",
        ",,",
        "example.com",
        "ample.org",
        "www.example.org",
        "example.org:8787",
        "https://example.org",
        "192.0.2.0/24",
        "::1/128",
        "[::1]",
        "[::1",
        "::1]:x",
        "10.0.0.0/99",
        "http://",
        ".",
        "example.org/x",
        "\x00",
    ],
)
def test_unrelated_entries_of_no_proxy_have_no_effect(exceptions: str) -> None:
    assert chosen("http://example.org", HTTP_PROXY=ONE, NO_PROXY=exceptions) == ONE


def test_an_address_is_not_a_name() -> None:
    assert chosen("http://[::1]:8787", HTTP_PROXY=ONE, NO_PROXY="::1:8787, 127.0.0.1") == ONE
    assert chosen("http://192.0.2.1", HTTP_PROXY=ONE, NO_PROXY="2.1,192.0.3.0/24") == ONE


@pytest.mark.parametrize(
    ("value", "user", "password"),
    [
        ("http://user:secret@proxy.example.net:3128", "user", "secret"),
        ("http://user:s%40cret@proxy.example.net:3128", "user", "s@cret"),
        ("http://user:s@c/r#e?t@proxy.example.net:3128", "user", "s@c/r#e?t"),
        ("user:@proxy.example.net:3128", "user", ""),
    ],
)
def test_the_user_of_a_proxy_is_used_and_not_printed(value: str, user: str, password: str) -> None:
    proxy = proxy_for(parse("http://example.org"), {"HTTP_PROXY": value})
    assert proxy is not None
    assert (proxy.url, proxy.user, proxy.password) == (ONE, user, password)
    assert "user" not in repr(proxy)


@pytest.mark.parametrize(
    "value",
    [
        "http://[::1",
        "http://::1:3128",
        "http://user:secret@proxy:port",
        "http://user:secret@",
        "http://user:secret%40proxy:3128",
        "http://secret%40proxy",
        "http://user:secret",
        "http://user:se/secret",
        "user:secret",
        "user:secret%40proxy",
        "socks5://user:secret",
        "'http://user:secret'",
        "ftp://user:secret",
        "http://user:secret:secret",
        "http://proxy:3128?secret",
        "http://pro xy",
        "ftp://user:secret@proxy",
        "socks4://proxy:1080",
        '"http://proxy:3128"',
        "http://",
        "://",
        ":",
    ],
)
def test_an_invalid_proxy_variable_is_rejected_with_its_name(value: str) -> None:
    with pytest.raises(InvalidProxy) as caught:
        proxy_for(parse("https://example.org"), {"https_proxy": value})
    assert caught.value.variable == "https_proxy"
    assert "secret" not in str(caught.value)
