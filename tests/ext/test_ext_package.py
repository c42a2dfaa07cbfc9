"""All modules are set up, in an order that does not rest on luck."""

import pkgutil
from importlib import import_module

import bookext
import pytest

MODULES = {module.name for module in pkgutil.iter_modules(bookext.__path__)}
HELPERS = {
    "elsewhere",
    "failure",
    "markdown",
    "pages",
    "used_names",
}  # have nothing to set up


def test_each_module_is_set_up_and_strict_is_the_first():
    """It tells of the faults of the others, also of those in their set-up."""
    assert bookext.PARTS[0] == "strict"
    assert {*bookext.PARTS} == MODULES - HELPERS


class App:
    """Notes who listens, in the order of the set-up; all else is of no interest."""

    def __init__(self):
        self.listeners = []
        self.part = ""

    def connect(self, event, handler, priority=500):
        if event == "build-finished":
            self.listeners.append((priority, self.part))

    def __getattr__(self, name):
        return lambda *arguments, **options: None


def test_the_last_steps_of_a_build_have_an_order():
    app = App()
    for app.part in bookext.PARTS[1:]:
        import_module(f"bookext.{app.part}").setup(app)
    assert len({priority for priority, _ in app.listeners}) == len(app.listeners)
    order = [part for _, part in sorted(app.listeners)]
    first = ["living", "light", "sitemap", "code_links", "lines"]
    last = ["notebooks", "search", "wrong_address", "head", "expectations"]
    assert order == [*first, *last]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_each_module_is_short_and_says_which_promise_needs_it(name):
    module = import_module(f"bookext.{name}")
    with open(str(module.__file__), encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert len(lines) <= 250
    assert len(str(module.__doc__).splitlines()[0]) > 40
