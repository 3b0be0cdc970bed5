"""Trusted certificates, and the errors of variables without any."""

import ssl
from pathlib import Path

import pytest

from originmap.domain.server_url import parse
from originmap.outbound.errors import UnusableEnvironment
from originmap.outbound.http import route_to
from originmap.outbound.tls import tls_context
from tests.real.reverse_proxy import CA

HTTP, HTTPS = parse("http://example.net"), parse("https://example.net")


def trusted(**environment: str) -> int:
    """The number of CA certificates in a context."""
    return len(tls_context(environment, ssl.create_default_context).get_ca_certs())


def test_a_file_replaces_the_default_certificates() -> None:
    assert trusted(SSL_CERT_FILE=str(CA)) == 1
    assert trusted(SSL_CERT_FILE=f" {CA}\n", SSL_CERT_DIR="/nonexistent") == 1


def test_a_folder_replaces_the_default_certificates(tmp_path: Path) -> None:
    assert trusted(SSL_CERT_DIR=str(tmp_path)) == 0  # read when a connection needs one
    assert trusted(SSL_CERT_DIR=f"{tmp_path}:{tmp_path}") == 0


def test_without_variables_the_default_certificates_are_used() -> None:
    for environment in ({}, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": " "}):
        context = route_to(HTTPS, environment).tls
        assert len(context.get_ca_certs()) > 50
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/nonexistent.pem"),
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_FILE", "/etc/passwd"),
        ("SSL_CERT_FILE", "/"),
        ("SSL_CERT_FILE", "~/ca.pem"),
        ("SSL_CERT_FILE", "/etc/passwd/ca.pem"),
        ("SSL_CERT_DIR", "/nonexistent"),
        ("SSL_CERT_DIR", "/:/nonexistent"),
        ("SSL_CERT_DIR", "/etc/passwd"),
    ],
)
def test_the_error_of_a_variable_without_certificates_names_it(variable: str, value: str) -> None:
    with pytest.raises(UnusableEnvironment) as caught:
        route_to(HTTPS, {variable: value})
    assert str(caught.value).startswith(f"{variable}: /" if "~" not in value else f"{variable}: ~")
    assert variable in caught.value.hint
    route_to(HTTP, {variable: value})


def test_the_error_of_an_unwritable_key_log_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = {"SSLKEYLOGFILE": "/nonexistent/keys"}
    monkeypatch.setenv("SSLKEYLOGFILE", environment["SSLKEYLOGFILE"])
    for more in ({}, {"SSL_CERT_FILE": str(CA)}):
        with pytest.raises(UnusableEnvironment, match="SSLKEYLOGFILE: /nonexistent/keys: No such"):
            route_to(HTTPS, environment | more)
    route_to(HTTP, environment)


def test_a_socks_proxy_needs_a_missing_package() -> None:
    with pytest.raises(UnusableEnvironment) as caught:
        route_to(HTTP, {"ALL_PROXY": "socks5://user:secret@127.0.0.1:1080"})
    assert "ALL_PROXY: socks5://127.0.0.1:1080 is a SOCKS proxy" in str(caught.value)
    assert "NO_PROXY=example.net" in caught.value.hint


def test_a_proxy_with_tls_is_verified_with_the_same_certificates() -> None:
    environment = {"HTTP_PROXY": "https://proxy.example.net", "SSL_CERT_FILE": str(CA)}
    assert len(route_to(HTTP, environment).tls.get_ca_certs()) == 1
