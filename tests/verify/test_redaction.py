"""Redaction of a recording: no secrets, but everything that a check needs."""

import pytest

from originmap.verify.probe import Probe, ServerAnswer
from originmap.verify.redaction import Redactor

TOKEN = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"
ZONE = "023e105f4ecef8ad9ca31a8372d0c353"
OTHER = "6f34723860fcdedebe818d8a9afc70be"


def redactor() -> Redactor:
    return Redactor({TOKEN: "<token>", ZONE: "<zone>", ZONE.upper(): "<ZONE>", "": "<nothing>"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Bearer {TOKEN}", "Bearer <token>"),
        ("cfat_" + "x" * 43, "<secret>"),
        (f"/zones/{ZONE}/origin", "/zones/<zone>/origin"),
        (f"/zones/{ZONE.upper()}/origin", "/zones/<ZONE>/origin"),
        (f"id {OTHER}, {OTHER}", "id <id-1>, <id-1>"),
        ("019a7c1e-8f00-7000-8000-0123456789ab", "<id-1>"),
        ("user jane.doe+cf@mail.example.org!", "user <email>!"),
        ("from location: 203.0.114.7", "from location: <ip-1>"),
        ("10.1.2.3:8787 and 10.1.2.3", "<ip-1>:8787 and <ip-1>"),
        ("[2606:4700::1111]:443", "[<ip-1>]:443"),
        ("::ffff:10.1.2.3.", "<ip-1>."),
        ("2001:DB9::1", "<ip-1>"),
        ("192.0.2.1 198.51.100.255 203.0.113.9", "192.0.2.1 198.51.100.255 203.0.113.9"),
        ("2001:db8:ffff::1 ::ffff:192.0.2.1", "2001:db8:ffff::1 ::ffff:192.0.2.1"),
        ("224.0.0.1 192.0.02.64 ff02::1 ::1", "224.0.0.1 192.0.02.64 ff02::1 ::1"),
        ("1. bad: no address, code 1146", "1. bad: no address, code 1146"),
    ],
)
def test_a_text_is_redacted(text: str, shown: str) -> None:
    assert redactor().text(text) == shown


def test_times_keep_their_form_order_and_distance() -> None:
    redact = redactor()
    assert redact.text("2026-03-01T12:00:00.123456Z") == "2026-01-01T00:00:00.123456Z"
    assert redact.text("2026-03-01T12:00:05Z") == "2026-01-01T00:00:05Z"
    assert redact.text("2026-02-28T12:00:00+00:00") == "2025-12-31T00:00:00+00:00"
    assert redact.text("0001-01-01T00:00:00Z") == "<time>"
    assert redact.text("9999-99-99T99:99:99Z") == "<time>"


def test_a_mapping_of_the_user_is_redacted_completely() -> None:
    theirs = {"origin_ip": "10.0.0.1", "vendor": "aws", "region": "us-east-1"}
    ours = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    assert redactor().json([theirs, ours, {"deep": [theirs]}]) == [
        {"origin_ip": "<ip-1>", "vendor": "<vendor>", "region": "<region>"},
        ours,
        {"deep": [{"origin_ip": "<ip-1>", "vendor": "<vendor>", "region": "<region>"}]},
    ]


def test_only_known_headers_are_kept() -> None:
    probe = Probe("PUT", f"/zones/{ZONE}", b"x" * 5000, (("Authorization", TOKEN),))
    headers = {"cf-ray": "9a0b1c2d3e4f5a6b-FRA", "set-cookie": "secret", "allow": "GET"}
    redact = redactor()
    answer = ServerAnswer(probe, 200, headers, b'{"id":"%b","n":1.5}' % OTHER.encode())
    assert redact.answer(answer) == {
        "status": 200,
        "headers": {"allow": "GET", "cf-ray": "0000000000000001-XXX"},
        "body": {"id": "<id-1>", "n": 1.5},
    }
    assert redact.ray("9a0b1c2d3e4f5a6c-FRA") == "0000000000000002-XXX"
    assert redact.ray("9a0b1c2d3e4f5a6b-FRA") == "0000000000000001-XXX"
    assert redact.ray("secret") == "<6 characters>"
    assert redact.request(probe) == {
        "method": "PUT",
        "path": "/zones/<zone>",
        "signed": True,
        "body": "<5000 bytes>",
    }


def test_a_response_that_is_not_json_is_redacted_as_text() -> None:
    answer = ServerAnswer(Probe("GET", "/"), 502, {}, b"<html>Ray ID, your IP: 10.9.8.7\xff</html>")
    assert redactor().answer(answer)["body"] == "<html>Ray ID, your IP: <ip-1>\ufffd</html>"
