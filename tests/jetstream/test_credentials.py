"""Credentials and TLS with real NATS servers."""

import base64
import json
import time
from pathlib import Path

import nkeys
import pytest

from originmap.domain.errors import FeedError, PrimaryGone, PrimaryUntrusted
from originmap.domain.nats_url import parse_nats
from originmap.jetstream.connection import NatsAccess, connected
from originmap.jetstream.credentials import NatsCredentials, read_credentials
from originmap.outbound.errors import UnusableEnvironment
from tests.jetstream.broker import Broker

CERTIFICATES = Path(__file__).parents[1] / "real" / "certificates"
CA, SERVER = CERTIFICATES / "ca.pem", CERTIFICATES / "server.pem"
CLIENT = CERTIFICATES / "client.pem"  # signed by itself
TRUSTED = {"SSL_CERT_FILE": str(CA)}
MUTUAL = f'tls {{ cert_file: "{SERVER}", key_file: "{SERVER}", ca_file: "{CLIENT}", verify: true }}'


def seed(kind: int) -> bytes:
    return nkeys.encode_seed(bytes(range(32)), kind)


def public(seed: bytes) -> str:
    return nkeys.from_seed(bytearray(seed)).public_key.decode()


def signed(claims: dict[str, object], issuer: bytes) -> str:
    """A JWT of NATS (its ADR-14), signed with an nkey."""
    body = {"jti": "id", "iat": int(time.time()), "iss": public(issuer), **claims}
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    text = b".".join(encoded(json.dumps(part).encode()) for part in (head, body))
    return (text + b"." + encoded(nkeys.from_seed(bytearray(issuer)).sign(text))).decode()


def encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


OPERATOR, ACCOUNT, USER = (
    seed(kind)
    for kind in (nkeys.PREFIX_BYTE_OPERATOR, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_USER)
)


def creds() -> tuple[str, str]:
    """The configuration of a server that trusts our operator, and the file of a user."""
    limits = {"subs": -1, "data": -1, "payload": -1}
    account = {"limits": {**limits, "conn": -1, "leaf": -1}, "type": "account", "version": 2}
    operator = signed(
        {"name": "O", "sub": public(OPERATOR), "nats": {"type": "operator", "version": 2}}, OPERATOR
    )
    of_account = signed({"name": "A", "sub": public(ACCOUNT), "nats": account}, OPERATOR)
    user = {**limits, "type": "user", "version": 2}
    of_user = signed({"name": "U", "sub": public(USER), "nats": user}, ACCOUNT)
    config = (
        f"operator: {operator}\nresolver: MEMORY\n"
        f'resolver_preload: {{ {public(ACCOUNT)}: "{of_account}" }}'
    )
    file = (
        f"-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{USER.decode()}\n------END USER NKEY SEED------\n"
    )
    return config, file


async def state(
    broker: Broker,
    text: str,
    *,
    scheme: str = "nats",
    environment: dict[str, str] | None = None,
    certificate: str = "",
) -> FeedError | None:
    """Connect; return the error."""
    url = parse_nats(f"{scheme}://127.0.0.1:{broker.port}")
    found = read_credentials("file", text) if text else NatsCredentials()
    access = NatsAccess(url, found, certificate, environment or {})
    try:
        async with connected(access, "test") as connection:
            await connection.client.flush()
    except FeedError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("config", "right", "wrong"),
    [
        ("authorization { user: a, password: pass }", "a:pass", "a:other"),
        ("authorization { token: secret-token }", "secret-token\n", "other-token"),
        (f"authorization {{ users: [{{ nkey: {public(USER)} }}] }}", USER.decode(), "a:pass"),
        (*creds(), "a:pass"),
    ],
    ids=["user", "token", "nkey", "creds"],
)
async def test_each_kind_of_credentials_is_accepted_and_a_wrong_one_refused(
    tmp_path: Path, config: str, right: str, wrong: str
) -> None:
    with Broker(tmp_path, config) as broker:
        assert await state(broker, right) is None
        for text in ("", wrong):
            error = await state(broker, text)
            assert isinstance(error, PrimaryGone)
            assert "uthorization" in str(error)
            assert error.hint == "check --nats-credentials"
            assert "pass" not in str(error)


@pytest.mark.parametrize("text", ["a b", "user:", ":password", "one\ntwo", "-BEGIN NATS USER JWT-"])
def test_credentials_that_cannot_be_any_are_refused_without_quoting_them(text: str) -> None:
    with pytest.raises(UnusableEnvironment) as caught:
        read_credentials("--nats-credentials", text)
    assert text not in str(caught.value)
    assert "USER:PASSWORD" in caught.value.hint


def test_credentials_with_a_seed_need_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("originmap.jetstream.credentials.find_spec", lambda name: None)
    with pytest.raises(UnusableEnvironment, match="need the package nkeys") as raised:
        read_credentials("--nats-credentials", seed(nkeys.PREFIX_BYTE_USER).decode())
    assert "originmap[nats]" in raised.value.hint
    assert read_credentials("--nats-credentials", "someone:secret").user == "someone"


async def test_tls_checks_the_server_and_presents_a_client_certificate(tmp_path: Path) -> None:
    with Broker(tmp_path, MUTUAL) as broker:
        tls = {"scheme": "tls"}
        certificate = str(CLIENT)
        assert await state(broker, "", **tls, environment=TRUSTED, certificate=certificate) is None
        untrusted = await state(broker, "", **tls)
        assert isinstance(untrusted, PrimaryUntrusted)
        assert "SSL_CERT_FILE" in untrusted.hint
        assert await state(broker, "", **tls, environment=TRUSTED) is not None  # no certificate
        with pytest.raises(UnusableEnvironment, match="--nats-certificate"):
            await state(broker, "", **tls, environment=TRUSTED, certificate=str(CA))


async def test_no_password_is_sent_to_a_server_without_tls(tmp_path: Path) -> None:
    with Broker(tmp_path, "authorization { user: a, password: pass }\ntrace: true") as broker:
        error = await state(broker, "a:pass", scheme="tls", environment=TRUSTED)
        assert isinstance(error, PrimaryUntrusted)
        assert "offers no TLS" in str(error)
        assert "CONNECT" not in broker.log.read_text()
        assert await state(broker, "a:pass") is None
        assert "CONNECT" in broker.log.read_text()
