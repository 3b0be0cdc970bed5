"""The URL of a server: valid forms, and errors without secrets."""

import pytest

from originmap.domain.server_url import InvalidServerURL, parse, without_secrets


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("http://192.0.2.1:8787", "http://192.0.2.1:8787"),
        ("http://192.0.2.1:8787/", "http://192.0.2.1:8787"),
        ("https://example.net/originmap", "https://example.net/originmap"),
        ("https://example.net/originmap/v1//", "https://example.net/originmap/v1"),
        ("https://api.cloudflare.com/client/v4/", "https://api.cloudflare.com/client/v4"),
        (" http://example.net\n", "http://example.net"),
        ("HTTPS://Example.net", "https://Example.net"),
        ("http://example.net:/x", "http://example.net/x"),
        ("http://[::1]:8787/a", "http://[::1]:8787/a"),
        ("http://[2001:db8::1]", "http://[2001:db8::1]"),
        ("http://origin_map:80/a%20b", "http://origin_map:80/a%20b"),
        ("http://bücher.example", "http://xn--bcher-kva.example"),
        ("http://xn--bcher-kva", "http://xn--bcher-kva"),
        ("http://_x.xn--bcher-kva.example", "http://_x.xn--bcher-kva.example"),
    ],
)
def test_a_url_is_parsed_without_its_final_slashes(text: str, read: str) -> None:
    assert str(parse(text)) == read
    assert parse(read) == parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("example.net", "does not start with http:// or https://"),
        ("localhost:8787", "does not start with http:// or https://"),
        ("//example.net", "does not start with http:// or https://"),
        ("/originmap", "does not start with http:// or https://"),
        ("ftp://example.net", "the scheme must be http or https"),
        ("postgresql://user:secret@h/db", "the scheme must be http or https"),
        ("http://::1:8787", "an IPv6 address must be in brackets, as in http://[::1]:8787"),
        ("http://2001:db8::1", "an IPv6 address must be in brackets"),
        ("http://[::1", "is not an IPv6 address in brackets"),
        ("http://[::1]8787", "is not an IPv6 address in brackets"),
        ("http://[192.0.2.1]", "is not an IPv6 address in brackets"),
        ("http://[fe80::1%25eth0]", "has a zone"),
        ("http://user:secret@example.net", "has an @"),
        ("http://secret@example.net/x", "has an @"),
        ("http://user:secret%40example.net", "has an @"),
        ("http://user:secret%40192.0.2.1:80/x", "has an @"),
        ("http://user:secret", "the port is not a number"),
        ("http://user:secret:x", "an IPv6 address must be in brackets"),
        ("http://user:secret/é", "must be encoded"),
        ("http://user:sec/secret/é", "must be encoded"),
        ("http://user:se/../secret", "with . or .. in it"),
        ("ftp://user:se/secret", "the scheme must be http or https"),
        ("http:/user:secret", "does not start with http:// or https://"),
        ("'http://user:secret'", "has quotes around it"),
        ("http://[user:secret", "is not an IPv6 address in brackets"),
        ("http://[user:secret]", "is not an IPv6 address in brackets"),
        ("http://[::1]secret", "is not an IPv6 address in brackets"),
        ("http://[::1]:secret", "the port is not a number"),
        ("http://user:123456", "a number of 6 digits is not a port"),
        ("user:secret%40example.net", "does not start with http:// or https://"),
        ("user:secret", "does not start with http:// or https://"),
        ("http://user:sec/secret@example.net", "has an @"),
        ("http://user:secret#secret@example.net", "has an @"),
        ("http://example.net?token=secret", "has a query"),
        ("http://example.net/x#secret", "has a fragment"),
        ("http://example.net:0", "is not a port"),
        ("http://example.net:65536", "is not a port"),
        ("http://example.net:" + "9" * 5000, "is not a port"),
        ("http://example.net:８７", "not a port"),
        ("http://example..net", "'example..net' is not a host name"),
        ("http://...", "is not a host name"),
        ("http://-a.example", "is not a host name"),
        (f"http://{'a' * 64}.example", "is not a host name"),
        (f"http://{'a.' * 127}example", "is not a host name"),
        ("http://xn--a.example", "is not a host name"),
        ("http://💩.la", "is not a host name"),
        ("http://", "the URL has no host"),
        ("http:///x", "the URL has no host"),
        ("http://:8787", "the URL has no host"),
        ("http://exa*mple", "is not a host name"),
        ("'http://example.net'", "has quotes around it"),
        ("“http://example.net”", "has quotes around it"),
        ("http://exam ple.net", "has a blank"),
        ("http://example.net\nx", "has a blank"),
        ("http:\\\\example.net", "has a blank, a backslash"),
        ("http://example.net/é", "must be encoded"),
        ("http://example.net/%zz", "must be encoded"),
        ("http://example.net/../x", "with . or .. in it"),
    ],
)
def test_an_invalid_server_url_is_rejected(text: str, says: str) -> None:
    with pytest.raises(InvalidServerURL) as caught:
        parse(text)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


def test_possible_secrets_are_removed_from_a_quoted_url() -> None:
    assert without_secrets("http://a:b@c/d?e") == "http://***@c/d?..."
    assert without_secrets("a:b@c") == "***@c"
    assert without_secrets("http://c#d") == "http://c#..."
    assert without_secrets("http://a:b%40c/d") == "http://***@c/d"
    assert without_secrets("http://a:b/c") == "http://a:***"
    assert without_secrets("http://user:dead:beef") == "http://user:***"
    assert without_secrets("http://[user:b]:1") == "http://[***"
    assert without_secrets("a:b") == "a:***"


@pytest.mark.parametrize(
    "text",
    [
        "http://c/d",
        "http://c/d:e",
        "http://c:80/d",
        "http://c:",
        "http://[::1]",
        "http://[::1]:80/d",
        "http://2001:db8::1/c",
        "localhost:8787",
        "http:/c/d",
        "/c:d",
    ],
)
def test_a_url_without_secrets_is_quoted_in_full(text: str) -> None:
    assert without_secrets(text) == text
