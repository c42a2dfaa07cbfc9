"""A cited number can be told from a measured one."""

from bookext.roles import cited


def test_a_cited_number_is_marked():
    (number,), messages = cited("cited", "", "2.454", 1, None)
    assert (number.astext(), number["classes"], messages) == ("2.454", ["cited"], [])
