"""One letter changed: the joins marked, and how far each moves, are the net's."""

from contextlib import contextmanager

import pytest
import torch
from books import NOTEBOOK, build, write_book
from visits import opened, settle

from charlm.models import WaveNet
from charlm.vocab import Vocabulary

PAGE = (
    NOTEBOOK
    + """# A

```{code-cell}
:tags: [remove-cell]
import torch
from myst_nb import glue
from charlm.book.living import as_model, layers_of
from charlm.models import WaveNet
from charlm.vocab import Vocabulary

vocab = Vocabulary("abcdefghijklmnopqrstuvwxyz")
net = WaveNet(27, 8, 4, 6, generator=torch.Generator().manual_seed(1)).eval()
model = as_model(*layers_of(net), vocab, block_size=8, label="tree", loss=0.0)
glue("model_small", model, display=False)
```

```{living} one-letter
:models: small
:start: christop chrastop
The still picture.
```
"""
)
VOCAB = Vocabulary(tuple("abcdefghijklmnopqrstuvwxyz"))


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("one-letter"), {"index": PAGE})
    status, log = build(folder)
    assert status == 0, log
    return (folder / "_build" / "html" / "index.html").as_uri()


@pytest.fixture
def page(browser, url):
    with opened(browser, url) as (page, problems):
        page.locator(".one-move").first.wait_for()  # the model is there
        yield page
    assert problems == []


def marked(page, kind):
    settle(page)
    found = page.locator(f'[data-kind="{kind}"][data-join]').evaluate_all(
        "all => all.map(e => e.dataset.join.split(',').map(Number))"
    )
    return {tuple(join) for join in found}


def shown(page):
    """The letters in the fields, and the number beside each join that moved."""
    settle(page)
    fields = page.locator(".one-window input").evaluate_all(
        "all => all.map(f => f.value)"
    )
    moves = page.locator("[data-join]:has(.one-move)").evaluate_all(
        "all => all.map(e => [e.dataset.join, +e.lastChild.textContent])"
    )
    return "".join(fields), {tuple(map(int, k.split(","))): move for k, move in moves}


@torch.no_grad()
def outputs(text):
    """{(level, i): what this join of the net gives out}."""
    net = WaveNet(27, 8, 4, 6, generator=torch.Generator().manual_seed(1)).eval()
    found: dict[tuple[int, int], torch.Tensor] = {}
    x = torch.tensor([VOCAB.encode(text)])
    for layer in net.net:
        x = layer(x)
        if isinstance(layer, torch.nn.Tanh):
            rows = x.reshape(-1, 6)
            level = {4: 1, 2: 2, 1: 3}[len(rows)]
            found |= {(level, i): row for i, row in enumerate(rows)}
    return found


@pytest.mark.parametrize("place", range(8))
def test_the_joins_that_change_are_those_of_the_net(page, place):
    before = "chrastop"
    after = before[:place] + "z" + before[place + 1 :]
    if place == 3:  # the letter that was changed already: `before` is the first window
        before = "christop"
    page.get_by_role("textbox", name=f"Letter {place + 1}").press_sequentially("z")
    old, new = outputs(before), outputs(after)
    moved = {join: (new[join] - old[join]).abs().mean().item() for join in new}
    changed = {join for join, by in moved.items() if by > 0}
    assert marked(page, "new") == changed
    assert marked(page, "kept") == set(new) - changed
    letters, numbers = shown(page)
    assert letters == after
    assert numbers == {join: pytest.approx(moved[join], abs=0.0051) for join in changed}
    said = page.locator(".living-status").inner_text()
    assert f"{before[place]} became z" in said and "keeps 4" in said


def test_keys_turn_a_letter_and_go_to_the_next(page):
    page.get_by_role("textbox", name="Letter 4").focus()
    page.keyboard.press("ArrowUp")  # a to b
    assert shown(page)[0] == "chrbstop"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")  # s to r
    assert shown(page)[0] == "chrbrtop"
    assert marked(page, "new") == {(1, 2), (2, 1), (3, 0)}
    page.keyboard.press("ArrowUp")  # s again: nothing differs
    assert marked(page, "new") == set() and "Nothing has changed" in page.inner_text(
        ".living-status"
    )
    page.keyboard.insert_text("É")
    page.keyboard.press("1")
    assert shown(page)[0] == "chrbetop"


def test_without_its_model_the_joins_are_marked_all_the_same(browser, url):
    with opened(browser, url) as (page, _):
        page.route("**/small.*", lambda route: route.abort())
        page.reload()
        assert marked(page, "new") == {(1, 1), (2, 0), (3, 0)}
        assert page.locator(".one-move").count() == 0


@contextmanager
def phone(browser, url, **options):
    context = browser.new_context(
        viewport={"width": 360, "height": 800}, has_touch=True, **options
    )
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def test_it_fits_a_phone_and_is_told_by_touch(browser, url):
    with phone(browser, url) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        field = page.get_by_role("textbox", name="Letter 8")
        box = field.bounding_box()
        assert min(box["width"], box["height"]) >= 24
        field.tap()
        page.keyboard.press("a")
        assert shown(page)[0] == "chrastoa"


def test_without_scripts_the_still_is_there(browser, url):
    with phone(browser, url, java_script_enabled=False) as page:
        assert page.get_by_text("The still picture.").is_visible()
