"""The web page in Chromium: until it is ready, a search in a full zone, a change made elsewhere.

The times are measured in the page, so the steps of Playwright are not in them. The browser runs
already and may use both cores; each window begins without a cache.
"""

import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from playwright.sync_api import Browser, Page

from bench.harness import dataset
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import ORIGINMAP, Server
from tests.ui import browser

READY = "map drawn, from opening the page"
SEARCH = "search in a zone's 3,500 mappings"
CHANGE = "change shown, from sending its PUT"

_RUNS = 7
_SEARCHES = ("198.18.1", "1.20", "198.18.13.171", "eu-", "")

_DRAWN_SCRIPT = """new MutationObserver((_, observer) => {
    if (document.querySelector('#map .land') === null) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.drawn = performance.now(); }));
}).observe(document, {childList: true, subtree: true})"""
"""Runs before the page: the outline of the land is the last thing that is drawn."""

_SEARCH_SCRIPT = """async text => {
    const field = document.querySelector('#q');
    const began = performance.now();
    field.value = text;
    field.dispatchEvent(new Event('input', {bubbles: true}));
    await new Promise(requestAnimationFrame);
    await new Promise(done => setTimeout(done));
    return performance.now() - began;
}"""

_CHANGE_SCRIPT = """async ([path, ip, region, csrf]) => {
    const began = performance.now();
    const body = JSON.stringify({origin_ip: ip, vendor: 'aws', region});
    const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': csrf};
    await fetch(path, {method: 'PUT', headers, body});
    const shown = () => [...document.querySelectorAll('tr')].some(
        row => row.innerText.includes(ip) && row.innerText.includes(region));
    while (!shown()) await new Promise(done => setTimeout(done, 5));
    return performance.now() - began;
}"""


def missing() -> str | None:
    """What has to be installed first, or None."""
    return None if browser.executable() else browser.HOW_TO_INSTALL


def measure(bench: Bench) -> Figures:
    """The medians of several runs."""
    name = ORIGINMAP.name
    db = bench.work / "ui.db"
    with Server(ORIGINMAP, db, bench.cores) as server, _browser(bench) as chromium:
        for request in dataset.fill():
            server.answer(request)
        ready = [_ready_ms(chromium, server) for _ in range(_RUNS + 1)][1:]
        page = chromium.new_page(base_url=server.url)
        page.goto(f"/ui/zones/{dataset.ZONE}")
        page.wait_for_selector("#mappings[data-ready]", state="attached")
        searches = [page.evaluate(_SEARCH_SCRIPT, text) for text in _SEARCHES * _RUNS]
        changes = [_change_ms(page, run) for run in range(_RUNS)]
    return {
        (READY, name): Figure(statistics.median(ready), "ms"),
        (SEARCH, name): Figure(statistics.median(searches), "ms"),
        (CHANGE, name): Figure(statistics.median(changes), "ms"),
    }


@contextmanager
def _browser(bench: Bench) -> Iterator[Browser]:
    with ExitStack() as stack:
        with bench.cores.both_cores():
            chromium = stack.enter_context(browser.started())
        yield chromium


def _ready_ms(chromium: Browser, server: Server) -> float:
    """In a window without anything in its cache."""
    with chromium.new_context(base_url=server.url) as context:
        page = context.new_page()
        page.add_init_script(_DRAWN_SCRIPT)
        page.goto("/ui/")
        page.wait_for_function("window.drawn")
        return float(page.evaluate("window.drawn"))


def _change_ms(page: Page, run: int) -> float:
    request = dataset.put_request(dataset.ZONE, dataset.address(0), dataset.region_pair(run)[0])
    csrf = page.locator("input[name=csrf]").first.get_attribute("value")
    given = [f"/ui/api{request.path}", dataset.address(0), dataset.region_pair(run)[0], csrf]
    return float(page.evaluate(_CHANGE_SCRIPT, given))
