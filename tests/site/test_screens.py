"""What a reader finds on each page: search, the way on, keys, links to share."""

import re
import xml.etree.ElementTree as xml

import pytest
from books import NOTEBOOK, build, write_book
from bs4 import BeautifulSoup
from visits import PAGES, opened

CHAPTERS = [name for name in PAGES if re.match(r"book/\d", name)]
BOOK = [name for name in PAGES if name.startswith("book/")]
HOME = "https://charlm-book.github.io/charlm/"
COVER = "book/index.html"
CARD = (1200, 630)  # pixels


def search(page):
    page.locator("#search-results li a").first.wait_for()
    return page.locator("#search-results li a").evaluate_all("l => l.map(a => a.href)")


def test_search_opens_from_the_keyboard(browser, address):
    with opened(browser, address + COVER) as (page, _):
        page.keyboard.press("Control+k")
        page.keyboard.type("perplexity")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=perplexity")
        assert search(page)


def test_pages_follow_each_other(browser, address):
    """From the cover, "next" leads through all pages, and "previous" back."""
    with opened(browser, address + COVER) as (page, _):
        seen = [page.url]
        while page.locator("a.right-next").count():
            with page.expect_navigation():
                page.locator("a.right-next").click()
            seen.append(page.url)
        assert {url.removeprefix(address) for url in seen} == set(BOOK)
        with page.expect_navigation():
            page.locator("a.left-prev").click()
        assert page.url == seen[-2]


@pytest.mark.parametrize("below", ["charlm/book/no/such/page.html", "no/page.html"])
def test_a_wrong_address_leads_back(browser, address, below):
    """The 404 page stands below an address of any depth, also on a server's root."""
    server = address.removesuffix("charlm/")
    home = address if below.startswith("charlm/") else server
    with opened(browser, server + below) as (page, problems):
        assert page.get_by_role("heading", name="Page not found").is_visible()
        (paper,) = page.evaluate("[getComputedStyle(document.body).backgroundColor]")
        assert paper == "rgb(251, 250, 247)"
        assert page.locator(".rail a").nth(1).evaluate("a => a.href") == (
            f"{home}book/setup.html"
        )
        page.get_by_role("link", name="the cover").click()
        page.wait_for_url(home + COVER)
    assert [p for p in problems if "404" not in p] == []
    assert len(problems) <= 2  # of the page itself


def test_titles_name_the_page_and_the_book_once(site):
    titles = [
        re.findall(r"<title>(.*?)</title>", (site / name).read_text("utf-8"))[0]
        for name in BOOK
    ]
    assert len(set(titles)) == len(BOOK)
    for title in titles:
        assert title.count("Character-Level Language Modeling") == 1, title


def test_the_sitemap_lists_the_pages(site):
    places = xml.parse(site / "sitemap.xml").findall(".//{*}loc")
    assert {(place.text or "").removeprefix(HOME) for place in places} == set(BOOK)


@pytest.mark.parametrize("name", [*BOOK, "index.html"])
def test_a_shared_link_shows_title_text_and_card(site, name):
    page = BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")
    tags = {
        tag.get("property", tag.get("name")): tag["content"]
        for tag in page.select("meta[content]")
    }
    assert len(tags["og:title"]) > 5 and len(tags["og:description"]) > 40
    assert "ran" not in str(tags["og:description"]).split() and tags["description"]
    card = site / str(tags["og:image"]).removeprefix(HOME)
    header = card.read_bytes()[:24]
    size = int.from_bytes(header[16:20]), int.from_bytes(header[20:24])
    assert size == CARD and tags["twitter:card"] == "summary_large_image"


@pytest.mark.parametrize("name", BOOK)
def test_each_page_can_be_edited_and_reported(site, name):
    html = (site / name).read_text(encoding="utf-8")
    source = name.removesuffix(".html")
    assert f"charlm-book/charlm/edit/main/{source}.md" in html
    assert "charlm-book/charlm/issues/new?title=" in html


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_tells_its_run_time(site, name):
    html = (site / name).read_text(encoding="utf-8")
    badge = re.search(r"<p class=\"run-time\">Code ran in ([^<]+)</p>", html)
    assert badge and html.count(badge[1]) >= 2


def test_a_slow_cell_says_so(tmp_path, browser):
    """Also when its outputs come from the cache; and a quick cell does not."""
    cells = (
        "```{code-cell}\nimport time\ntime.sleep(5.2)\n```\n\n```{code-cell}\n1\n```\n"
    )
    folder = write_book(tmp_path, {"index": NOTEBOOK + "# A\n\n" + cells})
    for _ in range(2):
        status, log = build(folder)
        assert status == 0, log
        html = (folder / "_build" / "html" / "index.html").read_text()
        (said,) = re.findall(r'"slow-cell">([^<]+)<', html)
        assert re.fullmatch("This cell ran for [5-9] s.", said)
        (folder / "index.md").write_text(NOTEBOOK + "# B\n\n" + cells)


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(browser, address, request):
    with opened(browser, address + request.param) as (page, _):
        yield page


def test_code_can_be_copied(chapter):
    """Three lines and more; what is shorter, and outputs, need no button."""
    cells = chapter.locator(".cell_input:visible").filter(
        has=chapter.locator(".ln + .ln + .ln")
    )
    assert cells.count() > 10
    assert cells.locator("button.copybtn").count() == cells.count()
    assert chapter.locator(".cell_output button.copybtn").count() == 0
    chapter.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cell = cells.first
    cell.hover()
    cell.locator("button.copybtn").click()
    copied = chapter.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == cell.locator("pre").inner_text().strip()


def test_solutions_are_folded_and_open_by_key(chapter):
    solutions = chapter.locator("details.sd-dropdown, .admonition.dropdown")
    assert solutions.count() > 0
    details = chapter.locator("details.sd-dropdown").first
    if details.count():
        assert details.get_attribute("open") is None
        details.locator("summary").first.focus()
        chapter.keyboard.press("Enter")
        assert details.get_attribute("open") is not None
    folds = chapter.locator(".admonition.dropdown")
    if folds.count():
        button = folds.first.locator("button.toggle-button").first
        assert button.get_attribute("aria-expanded") == "false"
        button.focus()
        chapter.keyboard.press("Enter")
        assert button.get_attribute("aria-expanded") == "true"


LOOK = """() => {
    const style = (selector) => getComputedStyle(document.querySelector(selector))
    return [
        style('body').backgroundColor,
        style('article .highlight pre').backgroundColor,
        style('article .cell_output').borderBottomColor,
        style('article .cell_output img').filter !== 'none',
    ]
}"""


@pytest.mark.parametrize(
    "scheme, look",
    [
        ("light", ["251, 250, 247", "243, 241, 235", "217, 213, 203", False]),
        ("dark", ["21, 23, 27", "28, 31, 36", "52, 57, 64", True]),
    ],
)
def test_colors_need_no_script(browser, site, scheme, look):
    context = browser.new_context(java_script_enabled=False, color_scheme=scheme)
    page = context.new_page()
    page.goto((site / CHAPTERS[0]).as_uri())
    *colors, turned = page.evaluate(LOOK)
    context.close()
    assert [*(color[4:-1] for color in colors), turned] == look


REACHABLE = """() => {
    const all = 'a[href], button, input, summary, select, [tabindex="0"]'
    return [...document.querySelectorAll(all)].filter(e =>
        e.tabIndex >= 0 && !e.disabled && e.getClientRects().length &&
        e.checkVisibility({ visibilityProperty: true }))
}"""
NOTE_FOCUS = """() => addEventListener('focusin', ({ target }) => {
    const style = getComputedStyle(target)
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
    const seen = ring || style.boxShadow !== 'none'
    target.dataset.reached = seen ? 'seen' : 'unseen'
})"""


@pytest.mark.parametrize("name", [COVER, "book/01_bigrams.html", "search.html"])
def test_everything_is_reachable_by_keyboard(browser, address, name):
    with opened(browser, address + name) as (page, _):
        count = page.evaluate(f"({REACHABLE})().length")
        page.evaluate(NOTE_FOCUS)
        for _ in range(count + 5):
            page.keyboard.press("Tab")
        missed = page.evaluate(
            f"({REACHABLE})().filter(e => e.dataset.reached !== 'seen')"
            ".filter(e => e.type !== 'radio' || e.checked)"  # arrows reach the others
            ".map(e => `${e.dataset.reached}: ${e.outerHTML.slice(0, 150)}`)"
        )
    assert missed == []


@pytest.mark.parametrize("name", BOOK)
def test_text_waits_for_no_script(site, name):
    page = BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")
    assert page.select("script[src]:not([defer], [async])") == []
    assert (site / "_static" / "scripts" / "fontawesome.js").read_bytes() == b""


@pytest.mark.parametrize("name", CHAPTERS)
def test_figures_wait_in_a_space_of_their_size(site, name):
    """All but the first, so that nothing moves when one comes."""
    page = BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")
    figures = page.select('img[src*="_images/"][src$=".svg"]')
    assert figures[0]["loading"] == "eager"
    assert all(figure["loading"] == "lazy" for figure in figures[1:])
    assert all(
        int(str(figure[side])) for figure in figures for side in ("width", "height")
    )


SLOW_READER = 200  # words a minute


def words_before(element):
    """How many words a reader meets before an element, code and captions included."""
    return element.evaluate(
        """element => {
            const range = document.createRange()
            range.setStart(document.querySelector('.bd-article'), 0)
            range.setEndAfter(element)
            return range.toString().split(/\\s+/).length
        }"""
    )


def test_the_first_name_is_three_minutes_away(browser, address):
    """From the top of the cover, by its first link, to names that the page made up."""
    with opened(browser, address + COVER) as (page, _):
        link = page.get_by_role("link", name="Start with Part 1")
        words = words_before(link)
        link.click()
        page.wait_for_url("**/01_bigrams.html")
        outputs = page.locator("#a-first-taste .cell_output").all()
        names = [o for o in outputs if "".join(o.inner_text().split()).isalpha()]
        words += words_before(names[0])
    assert words / SLOW_READER < 3
