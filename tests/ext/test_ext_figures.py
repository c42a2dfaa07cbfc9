"""Figures are counted within their page, with the part's number before it."""

from types import SimpleNamespace

from bookext.figures import renumber
from docutils import nodes


def test_each_page_begins_anew_and_a_part_gives_its_number():
    titles = {"one": "Part 1: A", "two": "Part 2: B", "other": "Words", "empty": "C"}
    env = SimpleNamespace(
        titles={page: nodes.title("", title) for page, title in titles.items()},
        toc_fignumbers={
            "one": {"figure": {"a": (1,), "b": (2,)}},
            "two": {"figure": {"c": (3,)}, "table": {"t": (1,)}},
            "other": {"figure": {"d": (4,), "e": (5,)}},
            "empty": {"figure": {}},
        },
    )
    renumber(None, env)
    assert env.toc_fignumbers == {
        "one": {"figure": {"a": (1, 1), "b": (1, 2)}},
        "two": {"figure": {"c": (2, 1)}, "table": {"t": (2, 1)}},
        "other": {"figure": {"d": (1,), "e": (2,)}},
        "empty": {"figure": {}},
    }
