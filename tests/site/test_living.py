"""Living figures: the script takes the still's place, with the data of its cell."""

import pytest
from books import NOTEBOOK, build, write_book
from visits import opened

PAGE = (
    NOTEBOOK
    + """# A

```{code-cell}
:tags: [remove-cell]
from myst_nb import glue
from charlm.book.living import as_json
glue("numbers", as_json({"a": [1, 2], "html": "</script><b>"}), display=False)
```

```{living} probe
:data: DATA
The still picture.
```
"""
)
PROBE = 'charlm.living("probe", (place, data) => place.append(JSON.stringify(data)))\n'


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = write_book(
        tmp_path_factory.mktemp("living"),
        {"index": PAGE.replace("DATA", "numbers"), "plain": "# B\n\nNothing.\n"},
    )
    status, log = build(folder)
    assert status == 0, log
    assets = folder / "_build" / "html" / "_static" / "living"
    (assets / "probe.js").write_text(PROBE)
    return folder / "_build" / "html"


def test_the_script_takes_the_still_s_place(book, browser):
    with opened(browser, (book / "index.html").as_uri()) as (page, problems):
        text = page.locator("figure.living").inner_text()
    assert text == '{"a":[1,2],"html":"</script><b>"}' and problems == []


def test_without_scripts_the_still_is_there(book, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / "index.html").as_uri())
    assert page.get_by_text("The still picture.").is_visible()
    context.close()


def test_other_pages_load_none_of_it(book):
    assert "living/" not in (book / "plain.html").read_text()


def test_data_that_no_cell_publishes_fails_the_build(tmp_path):
    page = PAGE.replace("DATA", "nothing")
    status, log = build(write_book(tmp_path, {"index": page}))
    assert status != 0 and "no cell publishes 'nothing'" in log
