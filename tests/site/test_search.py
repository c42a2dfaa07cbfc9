"""The search finds sections; a message that a reader pastes finds its entry first."""

import json
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from visits import PAGES, opened

PAGE = "book/troubleshooting.html"
PASTED = {
    "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x12 and 9x10)": "mat1",
    "KeyError: 'ß'": "keyerror",
    "IndexError: index 30 is out of bounds for dimension 0 with size 28": "index-27",
    "RuntimeError: The size of tensor a (64) must match the size of tensor b (100) at "
    "non-singleton dimension 1": "the-size-of-tensor-a",
    "ValueError: Expected more than 1 value per channel when training, got input "
    "size torch.Size([1, 100])": "expected-more-than-1-value",
    "RuntimeError: Expected all tensors to be on the same device, but found at least "
    "two devices, cuda:1 and cpu!": "expected-all-tensors",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has "
    "a total capacity of 7.79 GiB": "cuda-out-of-memory",
    "NameError: name 'model' is not defined": "nameerror",
    "TypeError: 'int' object is not callable": "typeerror",
    "charlm: Dokumente/namen.txt, line 17: this is not UTF-8 text": "latin-txt",
    "charlm: runs/mlp holds a run already: choose another --out, or go on with "
    "--resume runs/mlp": "runs-net-holds",
    "charlm: temperature must be positive and finite, got -1.0": "temperature-must",
    "charlm: there is no model 'transformer', only ngram, bigram, mlp, wavenet, conv, "
    "gated": "there-is-no-model",
    "ModuleNotFoundError: No module named 'charlm'": "modulenotfounderror",
    "ERROR: Package 'charlm' requires a different Python: 3.9.2 not in '>=3.11'": (
        "package-charlm-requires"
    ),
    "No file exports found.": "no-file-exports-found",
    "RuntimeError: expected m1 and m2 to have the same dtype, but got: int != float": (
        "expected-m1-and-m2"
    ),
    "out of memory": "cuda-out-of-memory",
    "The loss is nan": "the-loss-is-nan",
}


def results(browser, address, query):
    place = f"{address}search.html?q={quote(query)}"
    with opened(browser, place) as (page, problems):
        page.locator("#search-results li a").first.wait_for()
        links = page.locator("#search-results li a")
        found = links.evaluate_all("all => all.map(a => a.getAttribute('href'))")
    return found, problems


@pytest.mark.parametrize("message, anchor", PASTED.items(), ids=PASTED.values())
def test_a_pasted_message_finds_its_entry(browser, address, message, anchor):
    found, problems = results(browser, address, message)
    assert problems == []
    assert found[0].startswith(f"{PAGE}#{anchor}"), found[:3]


def test_the_link_leads_to_a_heading(browser, address):
    message = next(iter(PASTED))
    [first, *_], _ = results(browser, address, message)
    with opened(browser, address + first) as (page, _):
        heading = page.locator(f"section#{first.partition('#')[2]} > h3")
        assert "shapes cannot be multiplied" in heading.inner_text()


def test_a_word_that_no_page_has_hides_nothing(browser, address):
    found, _ = results(browser, address, "perplexity xyzzyplugh")
    assert any(place.startswith("book/") for place in found)


@pytest.mark.parametrize(
    "query, said", [("xyzzyplugh", "No page has"), ("the", "Too common")]
)
def test_an_empty_search_says_why(browser, address, query, said):
    with opened(browser, f"{address}search.html?q={query}") as (page, problems):
        assert said in page.locator("#search-results").inner_text()
    assert problems == []


@pytest.mark.parametrize("where", ["online", "folder"])
def test_a_hit_is_a_section_and_shows_its_own_prose(browser, address, site, where):
    start = address if where == "online" else f"{site.as_uri()}/"
    with opened(browser, start + "search.html?q=smooth") as (page, problems):
        hits = {
            hit.locator("a").inner_text(): hit.locator("p").inner_text()
            for hit in page.locator("#search-results li").all()[:5]
        }
        assert "smoothing" in page.locator("mark").first.inner_text().lower()
        page.locator("#search-results a", has_text="Part 1 › Smoothing").first.click()
        page.wait_for_url("**/book/01_bigrams.html#smoothing")
        own = page.locator("section#smoothing").evaluate("e => e.textContent")
    shown = hits["Part 1 › Smoothing"]
    piece = shown[shown.index("smoothing") :].rstrip(" …").split()[:8]
    assert " ".join(piece) in " ".join(own.split()) and len(shown) < 180
    assert problems == []


@pytest.mark.parametrize(
    "query, first",
    [
        ("how to install", "book/setup.html"),
        ("broadcasting", "book/notation.html#term-Broadcasting"),
        ("learning_rate_search", "book/api_training.html#charlm.train.learning_rate"),
    ],
)
def test_a_question_a_word_and_a_name_lead_to_their_places(
    browser, address, query, first
):
    found, problems = results(browser, address, query)
    assert found[0].startswith(first), found[:3]
    assert problems == []


def test_each_section_of_the_index_is_there(site):
    script = (site / "sections.js").read_text(encoding="utf-8")
    rows = json.loads(script.removeprefix("const SECTIONS = "))
    html = {name: (site / name).read_text(encoding="utf-8") for name in PAGES}
    assert len(rows) > 500
    for address, title, *_ in rows:
        page, _, anchor = address.partition("#")
        assert not anchor or f'id="{anchor}"' in html[page], address
        assert title.strip(" ›") == title and "#" not in title, title


@pytest.mark.parametrize("name", [name for name in PAGES if name[0] != "_"])
def test_only_the_search_page_loads_the_search(site, name):
    page = BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")
    scripts = " ".join(str(script["src"]) for script in page.select("script[src]"))
    assert "searchindex" not in scripts and "searchtools" not in scripts
    assert ("sections.js" in scripts) == (name == "search.html")


FIELD = """field => {
    const form = field.closest('form')
    const icon = form.querySelector('i').getBoundingClientRect()
    const box = field.getBoundingClientRect(), style = getComputedStyle(field)
    const rings = [form, ...form.querySelectorAll('*')].filter(e => {
        const { outlineStyle, boxShadow } = getComputedStyle(e)
        if (!e.getClientRects().length) return false
        return outlineStyle !== 'none' || boxShadow !== 'none'
    })
    return [icon.right <= box.left + parseFloat(style.paddingLeft), rings.length]
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_the_icon_covers_no_query_and_one_ring_is_shown(browser, address, width):
    place = f"{address}search.html?q=smoothing"
    with opened(browser, place, width=width) as (page, _):
        field = page.locator(".bd-search-container input")
        field.focus()
        assert field.evaluate(FIELD) == [True, 1]
    with opened(browser, address + PAGE, width=width) as (page, _):
        page.keyboard.press("Control+k")
        field = page.locator("#pst-search-dialog input")
        field.wait_for()
        page.keyboard.type("smoothing")
        assert field.evaluate(FIELD) == [True, 1]
