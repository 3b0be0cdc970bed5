"""The URL of NATS servers: errors without secrets."""

import pytest

from originmap.domain.nats_url import parse_nats
from originmap.domain.server_url import InvalidServerURL


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nats://user:secret@127.0.0.1", "has an @"),
        ("nats://user:secret%40127.0.0.1:4222", "has an @"),
        ("nats://user:1/secret%40127.0.0.1", "has an @"),
        ("nats://127.0.0.1:4222,user:secret", "the port is not a number"),
        ("nats://user:secret/STREAM", "the port is not a number"),
        ("nats://user:secret:4222", "an IPv6 address must be in brackets"),
        ("nats:/user:secret", "does not start with nats:// or tls://"),
        ("http://user:secret", "does not start with nats:// or tls://"),
    ],
)
def test_an_invalid_url_is_rejected_without_its_secrets(text: str, says: str) -> None:
    with pytest.raises(InvalidServerURL) as caught:
        parse_nats(text)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
