"""Reports about servers that take long to answer."""

import threading
from typing import Any

from originmap.client.connection import APIConnection, Credentials
from originmap.client.slow_answer import SlowAnswers
from tests.client.fake_api import FakeAPI


def test_only_the_first_slow_answer_is_reported() -> None:
    reports: list[str] = []
    reported = threading.Event()

    def report() -> None:
        reports.append("slow")
        reported.set()

    slow = SlowAnswers(report, patience=0.01)
    with slow.watched():
        assert reported.wait(10)
    with slow.watched():
        threading.Event().wait(0.05)
    assert reports == ["slow"]


def test_a_fast_answer_is_not_reported() -> None:
    reported = threading.Event()
    with SlowAnswers(reported.set, patience=0.2).watched():
        pass
    assert not reported.wait(0.4)


def test_a_connection_reports_a_slow_answer_with_its_host() -> None:
    hosts: list[str] = []
    reported = threading.Event()

    def report(host: str) -> None:
        hosts.append(host)
        reported.set()

    def answer(path: str, query: dict[str, str]) -> dict[str, Any]:
        reported.wait(20)
        return {"success": True, "errors": [], "result": []}

    with (
        FakeAPI(answer) as api,
        APIConnection(api.api, Credentials("token"), on_slow=report) as connection,
    ):
        connection.ask("GET", "/zones")
    assert hosts == ["127.0.0.1"]
