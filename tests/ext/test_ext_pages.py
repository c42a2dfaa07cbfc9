"""The pages come in the order of the book."""

from types import SimpleNamespace

from bookext.pages import in_order


def test_a_part_comes_before_what_is_below_it():
    below = {"cover": ["one", "two"], "one": ["one-a"]}
    env = SimpleNamespace(
        config=SimpleNamespace(root_doc="cover"), toctree_includes=below
    )
    assert list(in_order(env)) == ["cover", "one", "one-a", "two"]
