"""A message that a reader pastes into the search finds its entry, as the first."""

from urllib.parse import quote

import pytest
from visits import opened

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
    "this is not UTF-8 text": "latin-txt",
    "charlm: runs/mlp holds a run already: choose another --out, or go on with "
    "--resume runs/mlp": "runs-first-holds",
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


def test_an_ordinary_search_is_as_it_was(browser, address):
    found, _ = results(browser, address, "broadcasting")
    assert any(place.startswith("book/01_bigrams.html") for place in found)
