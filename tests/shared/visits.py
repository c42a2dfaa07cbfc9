"""Visits to pages in a real browser, which are over before they can cost much.

A tab is used again: a new one for each visit would take three times the processor.
"""

import re
from collections import defaultdict
from contextlib import contextmanager

from books import SITE
from playwright.sync_api import Browser

PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if "_static" not in path.parts and path != SITE / "index.html"
) or ["book/index.html"]
FORGET = "() => { try { localStorage.clear(); sessionStorage.clear() } catch {} }"
FRONT_DOOR = "meta[http-equiv=refresh]"  # it leads on at once
# What is not in view is laid out from a reader's first step on: see in-turn.js.
LAY_OUT = "dispatchEvent(new Event('scroll'))"
LAID_OUT = "!document.documentElement.classList.contains('in-turn')"
# The tabs of a browser that wait for the next visit.
IDLE: defaultdict[Browser, list["Tab"]] = defaultdict(list)


def settle(page):
    """Wait until what a change asked for is drawn: that takes a frame."""
    page.evaluate(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def draw(page):
    """Draw all living figures, also those that no reader has come near to."""
    page.evaluate("globalThis.charlm?.drawAll?.()")
    settle(page)


def lay_out(page):
    """Have all of a page there, not only what is in view and near."""
    page.evaluate(LAY_OUT)
    page.wait_for_function(LAID_OUT)
    draw(page)


class Tab:
    """A page, and `problems`: whatever a reader's browser would complain about."""

    def __init__(self, browser):
        context = browser.new_context()
        context.set_default_timeout(90_000)  # four builds beside it may be slow
        self.page, self.problems, self.home = context.new_page(), [], ""
        context.on("request", self.check_request)
        context.on("requestfailed", self.check_failure)
        context.on("response", self.check_response)
        self.page.on("console", self.check_message)
        self.page.on("pageerror", lambda error: self.note(f"error: {error}"))

    def note(self, problem):
        self.problems.append(problem)

    def check_message(self, message):
        """The theme may log what it does: that is no complaint."""
        if message.type not in ("log", "info", "debug"):
            self.note(f"console {message.type}: {message.text}")

    def check_request(self, request):
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.note(f"request to another host: {request.url}")

    def check_failure(self, request):
        if request.failure != "net::ERR_ABORTED":  # the page moved on
            self.note(f"{request.failure}: {request.url}")

    def check_response(self, response):
        if response.status >= 400:
            self.note(f"{response.status}: {response.url}")

    def visit(self, url, scheme, width):
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(
            media="null", color_scheme=scheme, reduced_motion="null"
        )
        self.problems = []
        (self.home,) = re.findall(r"^file://|^http://[^/]+/", url)
        self.page.goto(url, wait_until="load")
        self.page.wait_for_selector(FRONT_DOOR, state="detached")
        self.page.wait_for_load_state("load")
        lay_out(self.page)
        self.page.wait_for_timeout(150)

    def leave(self):
        self.page.evaluate(FORGET)
        self.page.unroute_all()
        self.page.context.clear_permissions()
        self.problems, self.home = [], "about:"
        self.page.goto("about:blank")


@contextmanager
def opened(browser, url, *, scheme="light", width=1280):
    """A page that nobody has been to before, with its problems."""
    tab = IDLE[browser].pop() if IDLE[browser] else Tab(browser)
    try:
        tab.visit(url, scheme, width)
        yield tab.page, tab.problems
        tab.leave()
    except BaseException as error:
        error.add_note(f"{url}: the browser complained of {tab.problems or 'nothing'}")
        tab.page.context.close()
        raise
    IDLE[browser].append(tab)
