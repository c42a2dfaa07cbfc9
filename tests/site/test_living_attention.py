"""What the heads look at: the weights are PyTorch's; mouse, touch and keys."""

from contextlib import contextmanager

import pytest
import torch
from books import NOTEBOOK, build, write_book
from visits import opened, settle

from charlm.attention import GPT, attention_weights, causal_mask
from charlm.vocab import Vocabulary

MODEL = """
import torch
from charlm.attention import GPT

g = torch.Generator().manual_seed(1)
gpt = GPT(27, 16, 24, 4, 3, generator=g).eval()
for p in gpt.parameters():
    p.data += torch.randn(p.shape, generator=g) / 4
    p.data = p.data.half().float()
"""
PAGE = (
    NOTEBOOK
    + f"""# A

```{{code-cell}}
:tags: [remove-cell]
{MODEL}
from myst_nb import glue
from charlm.book.living import as_model, layers_of
from charlm.vocab import Vocabulary

vocab = Vocabulary("abcdefghijklmnopqrstuvwxyz")
small = as_model(*layers_of(gpt), vocab, block_size=16, label="GPT", loss=2.0)
glue("model_small", small, display=False)
```

````{{living}} attention
:models: small
:start: isabella 7

```{{figure}} dot.svg
:alt: A row for each head.

Each head looks elsewhere.
```
````
"""
)
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
VOCAB = Vocabulary(tuple("abcdefghijklmnopqrstuvwxyz"))


def model() -> GPT:
    made: dict[str, GPT] = {}
    exec(MODEL, made)
    return made["gpt"]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("attention"), {"index": PAGE})
    (folder / "dot.svg").write_text(DOT)
    status, log = build(folder)
    assert status == 0, log
    return (folder / "_build" / "html" / "index.html").as_uri()


@pytest.fixture
def page(browser, url):
    with opened(browser, url) as (page, problems):
        page.locator(".heads-table").wait_for()  # the model is there
        settle(page)
        yield page
    assert problems == []


def weights_of(heads, x):
    q, k, _ = map(heads.heads, heads.qkv(x).chunk(3, dim=2))
    return attention_weights(q, k, causal_mask(x.shape[1]))


@torch.no_grad()
def looked_at(name):
    """Who looks at what, (12, T, T), and the probabilities at each place, (T, V)."""
    gpt, found = model(), []
    for block in gpt.blocks:
        heads = block.attention
        block.norm1.register_forward_hook(
            lambda _, x, normed, heads=heads: found.append(weights_of(heads, normed)[0])
        )
    logits = gpt.all_places(torch.tensor([[0, *VOCAB.encode(name)]]))
    return torch.cat(found), logits[0].softmax(1)


def shown(page):
    """(12, T) of what the cells show as ink, and what they say in percent."""
    settle(page)
    rows = page.locator(".heads-table tr:has(td[style])")
    return (
        rows.evaluate_all(
            "all => all.map(row => [...row.querySelectorAll('td[style]')]"
            ".map(e => Number(e.style.getPropertyValue('--ink'))))"
        ),
        rows.evaluate_all(
            "all => all.map(row => [...row.querySelectorAll('td[style]')]"
            ".map(e => e.textContent))"
        ),
    )


def letter(page, k):
    return page.locator(".heads-letters label").nth(k)


@pytest.mark.parametrize("name", ["isabella", "christopher", "jo", ""])
def test_the_weights_are_pytorch_s_from_each_letter(page, name):
    weights, probs = looked_at(name)
    page.get_by_label("Type a name").fill(name)
    for at in range(len(name) + 1):
        letter(page, at).locator("input").check()
        ink, said = shown(page)
        expected = weights[:, at]
        assert torch.allclose(torch.tensor(ink) * 1.0, expected, atol=1e-4, rtol=0)
        for row, words in zip(expected, said, strict=True):
            there = [f"{100 * share:.0f} %" for share in row[: at + 1].tolist()]
            assert words == there + ["masked"] * (len(name) - at)
        best = int(probs[at].argmax())
        assert f"({100 * probs[at, best]:.0f} %)" in page.inner_text(".living-status")
    assert not name or weights[:, 1:].max() > 0.5  # the heads have opinions


def test_it_opens_with_something_to_see(page):
    """Without a pointer: a letter is chosen, all heads show what they look at."""
    assert letter(page, 7).locator("input").is_checked()
    weights, probs = looked_at("isabella")
    most = weights[:, 7].flatten().argmax().item()
    head, place = divmod(most, 9)
    said = page.inner_text(".living-status")
    assert f"Head {head % 4 + 1} of block {head // 4 + 1}" in said
    assert "After “isabell”" in said and "weight is on" in said
    assert page.locator(".heads-comes").inner_text().split()[0] == "a"
    listed = page.locator(".heads-next li b").all_inner_texts()
    ranked = [VOCAB.labels[i] for i in probs[7].argsort(descending=True).tolist()]
    assert listed[:5] == ranked[:5] and len(listed) == 6
    named = page.locator("tr:has(td[style]) .heads-most").all_inner_texts()[head]
    assert named.startswith(".isabella"[place] + " ")


def test_it_is_told_by_the_pointer_and_by_keys(page):
    letter(page, 3).hover()
    assert letter(page, 3).locator("input").is_checked()
    assert shown(page)[1][0].count("masked") == 5
    letter(page, 3).locator("input").focus()
    page.keyboard.press("ArrowRight")
    assert letter(page, 4).locator("input").is_checked()
    assert shown(page)[1][0].count("masked") == 4
    group = page.get_by_role("group", name="Look from")
    assert group.get_by_role("radio", name="“b”, letter 4").is_checked()
    page.keyboard.press("Home")
    page.get_by_label("Type a name").press("End")
    page.keyboard.type("s")
    assert page.get_by_role("radio", name="“s”, letter 9").is_checked()


def test_what_is_typed_becomes_what_the_model_knows(page):
    field = page.get_by_label("Type a name")
    field.fill("Zoë-Maximiliana")
    assert field.input_value() == "zoemaximili"
    assert page.locator(".heads-letters label").count() == 12


def test_a_screen_reader_gets_a_named_table(page):
    group = page.get_by_role("group", name="Each head looks elsewhere.")
    table = group.get_by_role(
        "table", name="What each head looks at from “l”, letter 7"
    )
    assert table.get_by_role("row").count() == 1 + 3 * (1 + 4)
    assert table.get_by_role("rowheader", name="head 3").count() == 3
    assert table.get_by_role("columnheader", name="s", exact=True).count() == 1


@contextmanager
def phone(browser, url, width=390, **options):
    context = browser.new_context(
        viewport={"width": width, "height": 844}, has_touch=True, **options
    )
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


@pytest.mark.parametrize("width", [360, 390])
def test_it_works_by_touch_and_fits_a_phone(browser, url, width):
    with phone(browser, url, width) as page:
        page.get_by_label("Type a name").fill("christopher")
        letter(page, 5).tap()
        assert page.get_by_role("radio", name="“s”, letter 5").is_checked()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        boxes = page.locator(".heads-letters label, .living-row input").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect())"
            ".map(box => Math.min(box.width, box.height))"
        )
        assert len(boxes) == 13 and min(boxes) >= 24
        columns = "all => all.map(e => e.getBoundingClientRect().x)"
        tops = page.locator(".heads-letters label").evaluate_all(columns)
        row = page.locator(".heads-table tr:has(td[style])").first
        cells = row.locator("td[style]").evaluate_all(columns)
        assert cells == pytest.approx(tops, abs=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_more_weight_is_more_ink(browser, url, scheme):
    with phone(browser, url, color_scheme=scheme) as page:
        letter(page, 8).tap()
        ink, _ = shown(page)
        alphas = page.locator(".heads-table td[style]").evaluate_all(
            "all => all.map(e => getComputedStyle(e, '::before').backgroundColor"
            ".match(/[\\d.]+(?=\\))/)[0])"
        )
        flat = [share for row in ink for share in row]
        assert [float(a) for a in alphas] == pytest.approx(flat, abs=0.01)
        assert page.locator(".heads-letters label:has(:checked)").evaluate(
            "e => getComputedStyle(e).boxShadow !== 'none'"
        )


def test_where_the_model_cannot_be_read_the_still_is_there(browser, url):
    with opened(browser, url) as (page, _):
        page.route("**/small.*", lambda route: route.abort())
        page.reload()
        page.get_by_text("The model cannot be read").wait_for()
        assert page.get_by_alt_text("A row for each head.").is_visible()


def test_without_scripts_the_still_is_there(browser, url):
    with phone(browser, url, java_script_enabled=False) as page:
        assert page.get_by_alt_text("A row for each head.").is_visible()
        assert page.get_by_text("Each head looks elsewhere.").is_visible()
