"""The playground: its numbers are PyTorch's, and everybody can reach them."""

import random
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import torch
from books import NOTEBOOK, SITE, build, write_book
from page_models import PageModel
from visits import draw, opened

from charlm.data import load_words

NAMES = ["bigram", "four-gram", "mlp", "deep", "by-hand", "wavenet", "gru", "gpt"]
MODELS = (
    NOTEBOOK
    + """# Models

```{code-cell}
:tags: [remove-cell]
import torch
from myst_nb import glue
from charlm import layers
from charlm.attention import GPT
from charlm.counts import NGram
from charlm.data import load_words, windows
from charlm.memoized import MemoizedWaveNet
from charlm.models import MLP
from charlm.recurrent import GRU
from charlm.book.living import as_model, layers_of
from charlm.vocab import Vocabulary

words = load_words()
vocab = Vocabulary.from_words(words)
g = torch.Generator().manual_seed(42)
by_hand = layers.Sequential(
    layers.Embedding(27, 16, generator=g), layers.Flatten(),
    layers.Linear(48, 200, bias=False, generator=g), layers.BatchNorm1d(200),
    layers.ReLU(), layers.Linear(200, 27, generator=g))
by_hand.block_size = 3
models = {
    "bigram": NGram(vocab, 2, 0.3).fit(words),
    "four-gram": NGram(vocab, 4, 0.1).fit(words),
    "mlp": MLP(27, 4, 16, 300, generator=g),
    "deep": MLP(27, n_hidden=100, n_layer=5, batch_norm=True, generator=g),
    "by-hand": by_hand,
    "wavenet": MemoizedWaveNet(27, generator=g),
    "gru": GRU(27, generator=g),
    "gpt": GPT(27, generator=g)}
for name, model in models.items():
    if not isinstance(model, NGram):
        for p in list(model.parameters())[-2:]:
            p.data += torch.randn(p.shape, generator=g) / 5
        model(windows(words[:2000], vocab, model.block_size)[0])
    glue("model_" + name, as_model(
        *layers_of(model), vocab, block_size=model.block_size,
        label=name.title(), loss=2.5), display=False)
```
"""
)
ALL = "# All\n\n```{living} playground\n:models:\nThe still.\n```\n"
FEW = ALL.replace(":models:", ":models: wavenet bigram")
STARTED = FEW.replace("bigram", "bigram\n:start: em")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("playground")
    pages = {"index": ALL, "part/models": MODELS, "part/few": FEW, "part/em": STARTED}
    (folder / "part").mkdir()
    status, log = build(write_book(folder, pages))
    assert status == 0, log
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def home(book):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=book))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser, home):
    with opened(browser, home + "index.html") as (page, problems):
        page.get_by_role("table").wait_for()
        yield page
    assert problems == []


def prefixes():
    """The empty one, beginnings of names, and letters that no name begins with."""
    draw = random.Random(42)
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = draw.sample(load_words(), 150)
    starts = [name[: draw.randint(1, len(name))] for name in names]
    noise = ["".join(draw.choices(letters, k=k % 15)) for k in range(150)]
    return sorted({"", *starts, *noise})


def assert_equal_to_pytorch(page, folder, name):
    """The page's probabilities, against the file and plain PyTorch."""
    asked = prefixes()
    assert len(asked) >= 200 and max(map(len, asked)) > 10
    model = PageModel(folder / "_static" / "models" / f"{name}.safetensors")
    for temperature in (1, 0.5):
        found = page.evaluate(
            """async ([name, prefixes, temperature]) => {
                const data = document.querySelector("[data-living=playground] script")
                const { folder } = JSON.parse(data.textContent)
                const model = await charlm.loadModel(folder, name)
                return prefixes.map(p => [...model.probs(p, temperature)])
            }""",
            [name, asked, temperature],
        )
        expected = model.probs(asked, temperature).double()
        gap = (torch.tensor(found, dtype=torch.float64) - expected).abs().max().item()
        assert gap < 1e-5
        assert expected.amax() > 0.2  # the models have opinions


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_pytorch_s(page, book, name):
    assert_equal_to_pytorch(page, book, name)


@pytest.mark.parametrize("name", ["gru", "gpt"])
def test_the_file_of_a_net_is_no_larger_than_promised(book, name):
    path = book / "_static" / "models" / f"{name}.safetensors"
    assert path.stat().st_size <= 350_000


def test_a_page_that_was_opened_from_a_folder_reads_them_too(browser, book):
    with opened(browser, (book / "part" / "few.html").as_uri()) as (page, problems):
        page.get_by_role("table").wait_for()
        assert_equal_to_pytorch(page, book, "wavenet")
    assert problems == []


def test_a_page_can_say_what_is_typed_at_first(browser, home):
    with opened(browser, home + "part/em.html") as (page, problems):
        page.get_by_role("table").wait_for()
        assert page.get_by_label("Type a beginning").input_value() == "em"
        assert "After “em”" in page.locator(".living-status").inner_text()
    assert problems == []


def columns(page):
    return page.locator("thead th").all_inner_texts()[1:]


def row(page, letter):
    button = page.get_by_role("button", name=f"add {letter}", exact=True)
    return page.get_by_role("row").filter(has=button)


def shown(page, letter):
    return [float(text) for text in row(page, letter).locator("td").all_inner_texts()]


def test_all_models_stand_side_by_side_in_the_order_of_the_book(page):
    labels = [text.split()[0] for text in columns(page)]
    assert labels == [name.title() for name in NAMES]
    assert page.get_by_role("row").count() == 1 + 27


def test_typing_shows_what_comes_next(page, book):
    page.get_by_label("Type a beginning").fill("em")
    for place, name in enumerate(NAMES):
        path = book / "_static" / "models" / f"{name}.safetensors"
        p = 100 * PageModel(path).probs(["em"])[0, 13].item()
        assert abs(shown(page, "m")[place] - p) < 0.51
    assert (
        "After “em” the likeliest is: Bigram"
        in page.locator(".living-status").inner_text()
    )


def test_each_model_shows_what_it_sees_of_the_beginning(page):
    """And names that were written for another beginning do not stay."""
    page.get_by_role("button", name="Generate ten").click()
    page.get_by_label("Type a beginning").fill("christo")
    seen = page.locator(".living-window").evaluate_all(
        "all => all.map(e => [e.firstChild.textContent, e.lastChild.textContent])"
    )
    assert [after for _, after in seen] == [
        *["o", "sto", "isto", "sto", "sto"],
        *["christo"] * 3,
    ]
    assert [before for before, _ in seen] == [
        *["rist", "chri", "chr", "chri", "chri"],
        *[""] * 3,
    ]
    assert page.locator(".living-lists li").count() == 0


def test_where_all_are_alike_none_is_likeliest(page):
    """The 4-gram has never seen these three letters together."""
    page.get_by_label("Type a beginning").fill("qxz")
    status = page.locator(".living-status").inner_text()
    assert "no character, as all are alike (3.7 %)" in status


def test_the_keyboard_reaches_everything(page):
    page.get_by_label("Type a beginning").focus()
    page.keyboard.type("e")
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
        if focused == "add m":
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert page.get_by_label("Type a beginning").input_value() == "emm"
    page.get_by_role("button", name="Remove a letter").press("Enter")
    assert page.get_by_label("Type a beginning").input_value() == "em"
    before = shown(page, "m")
    page.get_by_label("Temperature").press("ArrowRight")
    assert shown(page, "m") != before
    page.get_by_role("button", name="Generate ten").press("Enter")
    assert page.locator(".living-lists li").count() == 10 * len(NAMES)
    page.get_by_role("button", name="Start again").press("Enter")
    assert page.get_by_label("Type a beginning").input_value() == ""


def test_a_touch_on_a_row_adds_its_letter(browser, home):
    context = browser.new_context(
        has_touch=True, viewport={"width": 390, "height": 800}
    )
    page = context.new_page()
    page.goto(home + "part/few.html")
    draw(page)
    row(page, "a").locator("td").first.tap()
    row(page, "n").get_by_role("button").tap()
    assert page.get_by_label("Type a beginning").input_value() == "an"
    sizes = page.evaluate(
        """() => [...document.querySelectorAll(
            '.living-place :is(button, input[type=text], .living-choice label)')]
            .filter(e => e.checkVisibility())
            .map(e => e.getBoundingClientRect())
            .map(box => Math.min(box.width, box.height))"""
    )
    assert min(sizes) >= 24
    context.close()


def test_few_models_show_the_ten_likeliest_letters(browser, home):
    with opened(browser, home + "part/few.html") as (page, problems):
        page.get_by_label("Type a beginning").fill("q")
        assert [text.split()[0] for text in columns(page)] == ["Wavenet", "Bigram"]
        cells = page.locator("tbody tr:visible")
        assert cells.count() == 10
        most = [
            max(map(float, re.findall(r"\d[\d.]*", text)))
            for text in cells.all_inner_texts()
        ]
        assert most == sorted(most, reverse=True)
        page.get_by_label("all 27").check()
        assert cells.count() == 27
    assert problems == []


def test_ten_names_are_those_of_the_probabilities(browser, home, book):
    """With a known sequence of random numbers, the names are those of PyTorch."""
    with opened(browser, home + "part/few.html") as (page, _):
        page.get_by_label("Type a beginning").fill("an")
        page.evaluate(
            """() => {
                let x = 1
                Math.random = () => (x = x * 16807 % 2147483647) / 2147483647
                document.querySelector(".living-scroll + .living-row button").click()
            }"""
        )
        written = page.locator(".living-lists li").all_inner_texts()

    state, expected = 1, []
    for name in ["wavenet", "bigram"]:
        model = PageModel(book / "_static" / "models" / f"{name}.safetensors")
        for _ in range(10):
            text = "an"
            while len(text) < 30:
                state = state * 16807 % 2147483647
                ends = model.probs([text])[0].double().cumsum(0)
                at = int(torch.searchsorted(ends, state / 2147483647, right=True))
                if at == 0:
                    break
                text += model.chars[at - 1]
            expected.append(text + "…" * (len(text) == 30))
    assert written == expected


def test_an_unknown_letter_gets_a_sentence(page):
    page.get_by_label("Type a beginning").fill("zoß")
    assert (
        page.locator(".living-status")
        .inner_text()
        .startswith("The models do not know “ß”. They know abcdefghijklmnopqrstuvwxyz.")
    )
    assert page.get_by_role("button", name="Generate ten").is_disabled()
    page.get_by_role("button", name="Remove a letter").click()
    assert shown(page, "e")


def test_capitals_become_the_letters_that_the_models_know(page):
    field = page.get_by_label("Type a beginning")
    field.focus()
    page.keyboard.type("EMmÄ")
    assert field.input_value() == "emma"
    page.keyboard.press("Home")
    page.keyboard.type("G")
    page.keyboard.type("e")
    assert field.input_value() == "geemma"
    assert "After “geemma”" in page.locator(".living-status").inner_text()


def test_on_a_phone_a_likelier_letter_has_a_darker_cell(browser, home):
    with opened(browser, home + "index.html", width=390) as (page, problems):
        page.get_by_label("Type a beginning").fill("q")
        cells = row(page, "u").locator("td"), row(page, "z").locator("td")
        dark, light = (
            cell.first.evaluate(
                "e => Number(getComputedStyle(e).backgroundColor.match(/[\\d.]+/g)[3])"
            )
            for cell in cells
        )
        assert shown(page, "u")[0] > shown(page, "z")[0] and dark > light + 0.1
        wide = cells[0].first.evaluate("e => getComputedStyle(e).backgroundImage")
        assert wide == "none"
    assert problems == []


def test_a_model_that_cannot_be_read_is_named(browser, home):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/mlp.safetensors", lambda route: route.fulfill(status=404))
    page.route("**/deep.safetensors", lambda route: route.fulfill(body=b"\x08" * 64))
    page.goto(home + "index.html")
    page.get_by_role("table").wait_for()
    said = page.locator(".living-status").inner_text()
    assert "cannot be read: mlp (the server answered 404), deep" in said
    assert len(columns(page)) == len(NAMES) - 2
    context.close()


def test_without_scripts_the_still_is_there(browser, home):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(home + "index.html")
    assert page.get_by_text("The still.").is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["index.html", "part/few.html"])
def test_it_fits_the_screen(browser, home, scheme, width, name):
    with opened(browser, home + name, scheme=scheme, width=width) as (page, problems):
        page.get_by_role("button", name="Generate ten").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sizes = page.evaluate(
            """() => [...document.querySelectorAll('.living-place *')]
                .filter(e => e.checkVisibility() && e.textContent.trim())
                .map(e => parseFloat(getComputedStyle(e).fontSize))"""
        )
        assert min(sizes) >= 12
    assert problems == []


def test_a_model_that_no_cell_publishes_fails_the_build(tmp_path):
    page = ALL.replace(":models:", ":models: nothing")
    status, log = build(write_book(tmp_path, {"index": page}))
    assert status != 0 and "no cell publishes 'nothing'" in log


@pytest.mark.parametrize("name", NAMES)
def test_the_built_site_s_probabilities_are_pytorch_s(browser, site, address, name):
    with opened(browser, address + "book/playground.html") as (page, problems):
        page.get_by_role("table").wait_for()
        assert_equal_to_pytorch(page, SITE, name)
    assert problems == []
