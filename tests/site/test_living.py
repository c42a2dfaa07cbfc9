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

````{living} speaking
```{figure} dot.svg
:alt: A dot.

It counts. And it is calm.
```
````
"""
)
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
PROBE = 'charlm.living("probe", (place, data) => place.append(JSON.stringify(data)))\n'
SPEAKING = """charlm.living("speaking", (place, _, { status, slider }) => {
  const line = status()
  line.textContent = "0"
  const change = value => (line.textContent = String(value))
  place.append(line, slider({ label: "n", min: 0, max: 9, step: 1, value: 0, change }))
})
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = write_book(
        tmp_path_factory.mktemp("living"),
        {"index": PAGE.replace("DATA", "numbers"), "plain": "# B\n\nNothing.\n"},
    )
    (folder / "dot.svg").write_text(DOT)
    status, log = build(folder)
    assert status == 0, log
    assets = folder / "_build" / "html" / "_static" / "living"
    (assets / "probe.js").write_text(PROBE)
    (assets / "speaking.js").write_text(SPEAKING)
    return folder / "_build" / "html"


def test_the_script_takes_the_still_s_place(book, browser):
    with opened(browser, (book / "index.html").as_uri()) as (page, problems):
        text = page.locator("figure.living").first.inner_text()
    assert text == '{"a":[1,2],"html":"</script><b>"}' and problems == []


def test_a_figure_is_a_group_named_by_its_caption(book, browser):
    with opened(browser, (book / "index.html").as_uri()) as (page, _):
        group = page.get_by_role("group", name="It counts. And it is calm.")
        assert group.get_by_role("slider").is_visible()


def test_what_changes_is_read_out_once_it_rests(book, browser):
    with opened(browser, (book / "index.html").as_uri()) as (page, _):
        said = page.locator("[aria-live=polite]")
        slider = page.get_by_role("slider")
        slider.focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(300)
            assert said.text_content() == ""
        assert page.get_by_role("status").first.inner_text() == "3"
        page.wait_for_function(
            "document.querySelector('[aria-live=polite]').textContent === '3'"
        )


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
    folder = write_book(tmp_path, {"index": page})
    (folder / "dot.svg").write_text(DOT)
    status, log = build(folder)
    assert status != 0 and "no cell publishes 'nothing'" in log
