"""The built site, a server for it, and a browser. What is missing says what to do."""

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from books import SITE


@pytest.fixture(scope="session")
def site():
    if not (SITE / "index.html").exists():
        pytest.skip("there is no built site: run `make book` first")
    return SITE


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served, below /charlm/ and with its 404 page, as online."""

    class Quiet(SimpleHTTPRequestHandler):
        error_message_format = (
            (site / "404.html").read_text(encoding="utf-8").replace("%", "%%")
        )

        def translate_path(self, path):
            return super().translate_path(path.removeprefix("/charlm"))

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args):
            """A browser that closes a connection early is no error."""

    server = Server(("127.0.0.1", 0), partial(Quiet, directory=site))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/charlm/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if not executable:
        pytest.skip("there is no Chromium: `apt-get install chromium`, or see .ci/run")
    from playwright.sync_api import sync_playwright

    quiet = ("background-networking", "component-update", "sync", "quic")
    options = [
        "--no-sandbox",
        "--no-first-run",
        *(f"--disable-{name}" for name in quiet),
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=options)
        yield browser
        browser.close()
