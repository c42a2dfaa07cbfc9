"""The figure `backward`: the chapter's walk, with autograd's numbers at every node."""

import json
import re
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from bookext.fingerprint import cells
from books import NOTEBOOK, ROOT, build, write_book
from visits import opened

PAGE = (
    NOTEBOOK
    + """# A

```{code-cell}
:tags: [remove-cell]
import json
from myst_nb import glue
from charlm.book.living import as_json
glue("walk", as_json(json.load(open("walk.json"))), display=False)
```

```{living} backward
:data: walk
The still picture.
```
"""
)
CHAPTER = (ROOT / "book" / "04_backprop.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chapter():
    """What the chapter's cells define, up to the one that publishes the walk."""
    published: dict[str, Any] = {}
    names = {
        "note": published.__setitem__,
        "print": lambda *args: None,
        "expect": lambda *args, **band: None,
    }
    with torch.enable_grad():
        for source in cells(CHAPTER):
            if "matplotlib_inline" in source or "IPython" in source:
                continue
            exec(source, names)
            if "backward" in published:
                break
    return SimpleNamespace(**names, data=json.loads(published["backward"].content))


@pytest.fixture(scope="module")
def url(tmp_path_factory, chapter):
    folder = write_book(tmp_path_factory.mktemp("backward"), {"index": PAGE})
    (folder / "walk.json").write_text(json.dumps(chapter.data))
    status, log = build(folder)
    assert status == 0, log
    return (folder / "_build" / "html" / "index.html").as_uri()


@contextmanager
def tried(browser, url, **options):
    """The page, in a context of its own where that has options."""
    if not options:
        with opened(browser, url) as (page, _):
            yield page
        return
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def press(page, name):
    page.get_by_role("button", name=name).click()


def status(page):
    return page.locator("p[role=status]").inner_text()


def node(page):
    return page.locator(".living-name strong").inner_text()


def corners(page):
    """The two little tables of numbers, value and gradient."""
    return [
        [
            [float(cell.replace("−", "-")) for cell in row]
            for row in table.evaluate(
                "t => [...t.rows].map(r => [...r.cells].map(c => c.textContent))"
            )
        ]
        for table in page.locator(".living-corner").all()
    ]


def test_each_node_shows_what_autograd_gives(browser, url, chapter):
    with tried(browser, url, reduced_motion="reduce") as page:
        assert node(page) == "loss" and "gradient of the loss is 1" in status(page)
        assert corners(page) == [
            [[pytest.approx(chapter.loss.item(), abs=1e-3)]],
            [[1]],
        ]
        for number, (name, *_) in enumerate(chapter.ledger, start=1):
            press(page, "Next gradient")
            tensor = chapter.tensors[name]
            text = page.locator(".living-node").inner_text()
            assert node(page) == name
            assert status(page).startswith(f"Step {number} of 26: d{name} arrives")
            assert str(tuple(tensor.shape)) in text
            for shown, exact in zip(corners(page), (tensor, tensor.grad)):
                rows = exact.reshape(-1, exact.shape[-1])[:3, :4]
                for got, row in zip(shown, rows.tolist(), strict=True):
                    assert got == pytest.approx(row, rel=0.06, abs=6e-4)
            norm = float(
                text.split("Norm of the gradient: ")[1].split(". ")[0].replace("−", "-")
            )
            assert norm == pytest.approx(tensor.grad.norm().item(), rel=0.06, abs=1e-15)
        assert "all 26 gradients are found" in status(page)


def test_published_numbers_are_the_tensors_own(chapter):
    for step in chapter.data["steps"]:
        tensor = chapter.tensors[step["name"]]
        for key, exact in (("value", tensor), ("grad", tensor.grad)):
            rows = exact.detach().reshape(-1, exact.shape[-1])[:3, :4]
            found = torch.tensor(step[key], dtype=torch.float64)
            assert torch.allclose(found, rows, rtol=1e-3, atol=1e-15)
        assert step["norm"] == pytest.approx(tensor.grad.norm().item(), 1e-3, 1e-15)
        assert step["shape"] == list(tensor.shape) and step["largest"] < 1e-12


def test_rules_are_lines_of_the_chapter(browser, url, chapter):
    lines = {
        line.split("#")[0].strip()
        for source in cells(CHAPTER)
        for line in source.splitlines()
    }
    with tried(browser, url) as page:
        nodes = page.evaluate("walk.nodes")
    del nodes["y"]
    assert nodes.keys() == {"loss"} | chapter.tensors.keys()
    for name, (*_, forward, backward, _words) in nodes.items():
        assert name == "loss" or backward in lines
        assert not forward or forward in lines


def test_edges_are_those_of_the_forward_pass(browser, url):
    """Each arrow is a name on the right-hand side of its target's line, and back."""
    with tried(browser, url) as page:
        nodes, edges = page.evaluate("walk.nodes"), page.evaluate("walk.edges")
    for name, (*_, forward, _rule, _words) in (
        item for item in nodes.items() if len(item[1]) == 6
    ):
        words = re.findall(r"(?<![.\w])[A-Za-z]\w*", forward.partition("=")[2])
        used = {word for word in words if word in nodes}
        assert used == {source for source, target in edges if target == name}


def test_gradients_come_from_the_nodes_that_use_a_value(browser, url):
    with tried(browser, url) as page:
        for _ in range(5):
            press(page, "Next gradient")
        assert status(page) == "Step 5 of 26: dcounts arrives from probs and total."
        assert page.locator(".edge.flows").count() == 2
        label = page.locator("figure svg").get_attribute("aria-label")
    known = "dloss, dlog_probs, dprobs, dinv_total, dtotal, dcounts"
    assert label == f"Computation graph at counts; known so far: {known}"


def test_both_ways_and_to_the_start(browser, url):
    with tried(browser, url) as page:
        page.get_by_role("button", name="Previous gradient").click(force=True)
        assert node(page) == "loss"
        press(page, "Next gradient")
        press(page, "Next gradient")
        press(page, "Previous gradient")
        assert node(page) == "log_probs"
        for _ in range(25):
            press(page, "Next gradient")
        page.get_by_role("button", name="Next gradient").click(force=True)
        assert node(page) == "C" and "That was the last" in status(page)
        following = page.get_by_role("button", name="Next gradient")
        assert following.get_attribute("aria-disabled") == "true"
        press(page, "Start again")
        assert (
            node(page) == "loss" and following.get_attribute("aria-disabled") == "false"
        )


def test_the_summary_counts_what_the_ledger_counts(browser, url, chapter):
    equal = sum(result.exact for *_, result in chapter.ledger)
    with tried(browser, url) as page:
        for _ in range(26):
            press(page, "Next gradient")
        assert f"{equal} of them equal to autograd's bit by bit" in status(page)


def test_keyboard_alone_is_enough(browser, url):
    with tried(browser, url) as page:
        page.get_by_role("button", name="Next gradient").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Space")
        assert node(page) == "probs"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert node(page) == "log_probs"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert node(page) == "loss"


def test_touch_on_a_phone(browser, url):
    phone = {"width": 360, "height": 800}
    with tried(browser, url, has_touch=True, viewport=phone) as page:
        button = page.get_by_role("button", name="Next gradient")
        assert button.bounding_box()["height"] >= 24
        for _ in range(26):
            button.tap()
            text = page.locator(".node.now text")
            size = text.evaluate("t => t.getBoundingClientRect().height")
            assert size >= 12
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_node_is_in_sight(browser, url, width):
    size = {"width": width, "height": 844}
    with tried(browser, url, reduced_motion="reduce", viewport=size) as page:
        for _ in range(26):
            press(page, "Next gradient")
            seen = page.evaluate(
                """() => {
                    const box = e => document.querySelector(e).getBoundingClientRect()
                    const [node, view] = [box('.node.now rect'), box('.living-graph')]
                    return node.top >= view.top && node.bottom <= view.bottom &&
                        node.left >= view.left && node.right <= view.right
                }"""
            )
            assert seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_quiet_and_in_the_page_s_colors(browser, url, scheme):
    with opened(browser, url, scheme=scheme, width=390) as (page, problems):
        press(page, "Next gradient")
        color = page.locator(".node.now rect").evaluate(
            "e => getComputedStyle(e).stroke"
        )
    assert problems == []
    orange = {"light": "rgb(168, 72, 12)", "dark": "rgb(242, 160, 101)"}
    assert color == orange[scheme]


def test_reduced_motion_scrolls_at_once(browser, url):
    with tried(browser, url, reduced_motion="reduce") as page:
        top = "document.querySelector('.living-graph').scrollTop"
        before = page.evaluate(top)
        moved = page.evaluate(
            f"""() => {{
                const back = document.querySelector('.living-button')
                for (let i = 0; i < 12; i++) back.click()
                return {top}
            }}"""
        )
    assert moved < before


def test_without_scripts_the_still_is_there(browser, url):
    with tried(browser, url, java_script_enabled=False) as page:
        assert page.get_by_text("The still picture.").is_visible()
