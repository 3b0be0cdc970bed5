"""What the sender refuses, and what it accepts: addresses, certificates, redirects, answers."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from originmap.domain.hook.public_address import is_public
from originmap.domain.hook.signature import signed_headers
from originmap.outbound.hook_sender import HookSender, new_senders
from originmap.outbound.tls import unused_context
from tests.hook.receiver import Receiver

CERTIFICATES = Path(__file__).parents[1] / "real" / "certificates"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


async def sent(url: str, *, private: bool = False, seconds: float = 5) -> str:
    sender = HookSender(unused_context, private=private, seconds=seconds)
    try:
        return await sender.send(url, {}, b"{}")
    finally:
        await sender.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "[fe80::1]",
        "[fd00::1]",
        "224.0.0.1",
        "192.0.2.1",
    ],
)
async def test_an_address_that_is_not_public_gets_no_connection(
    host: str, receiver: Receiver
) -> None:
    before = len(receiver.received)
    problem = await sent(f"https://{host}:{receiver.server.server_port}/secret?token=x")
    assert "not a public address" in problem or "Name or service" in problem
    assert "secret" not in problem
    assert len(receiver.received) == before


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("::ffff:1.1.1.1", True),
        ("64:ff9b::101:101", True),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("2001:db8::1", False),
        ("ff0e::1", False),
        ("255.255.255.255", False),
        ("fe80::1%eth0", False),
        ("not an address", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_plain_http_is_refused_unless_private_receivers_are_allowed(
    receiver: Receiver,
) -> None:
    assert await sent(receiver.url) == "the URL does not start with https://"
    assert await sent(receiver.url, private=True) == ""


async def test_a_name_is_kept_as_the_host_of_the_request(receiver: Receiver) -> None:
    port = receiver.server.server_port
    assert await sent(f"http://localhost:{port}/hook?key=1", private=True) == ""
    assert receiver.received[-1].headers["host"] == f"localhost:{port}"
    assert receiver.received[-1].path == "/hook?key=1"


async def test_the_checked_address_is_used_whatever_the_name_server_says_next(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name server is replaced, because tests cannot ask one."""
    look_up, asked = socket.getaddrinfo, list[object]()

    def changing(host: object, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        if host == "changing.example":
            host = "127.0.0.1" if asked.count(host) == 1 else "169.254.169.254"
        return look_up(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    url = receiver.url.replace("127.0.0.1", "changing.example")
    assert await sent(url, private=True) == ""
    assert asked.count("changing.example") == 1
    assert receiver.received[-1].headers["host"].startswith("changing.example:")
    assert await sent(url.replace("http:", "https:")) == "169.254.169.254 is not a public address"


async def test_a_redirect_is_a_failure_and_not_followed(receiver: Receiver) -> None:
    receiver.statuses = [302]
    before = len(receiver.received)
    assert await sent(receiver.url, private=True) == "status 302"
    assert len(receiver.received) == before + 1


async def test_an_unreachable_receiver_is_a_failure_with_a_reason() -> None:
    with Receiver() as gone:
        url = gone.url
    assert "connect" in (await sent(url, private=True)).lower()


async def test_an_endless_answer_is_not_read() -> None:
    with Receiver() as server:
        server.endless = True
        assert await sent(server.url, private=True) == ""


@pytest.mark.parametrize(
    ("certificate", "trusted", "problem"),
    [
        ("server.pem", "ca.pem", ""),
        ("server.pem", None, "unable to get local issuer certificate"),
        ("other.pem", "other.pem", "Hostname mismatch"),
    ],
)
async def test_certificates_are_verified_for_the_name_of_the_url(
    certificate: str, trusted: str | None, problem: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / certificate)
    environment = {"SSL_CERT_FILE": str(CERTIFICATES / trusted)} if trusted else {}
    with Receiver() as server:
        server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
        sender = new_senders(environment, private=True)()
        url = f"https://localhost:{server.server.server_port}/hook"
        found = await sender.send(url, {}, b"{}")
        await sender.close()
    assert problem in found
    assert bool(found) == bool(problem)
    assert len(server.received) == (not problem)


def test_a_signature_is_that_of_standard_webhooks() -> None:
    """Calculated with openssl: base64 of the HMAC of "msg_1.1614265330.{}" under the key."""
    headers = signed_headers(SECRET, "msg_1", 1_614_265_330_999_999, b"{}")
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,ZztYR0IIDCBCUcYzh8ZE+qsQWpIgtHU7R1hpe8htaD4=",
    }
