"""The pages notice a change of a static file."""

from bookext.assets import digest


def test_digest_follows_names_and_contents(tmp_path):
    (tmp_path / "a.css").write_text("p {}")
    first = digest([tmp_path])
    assert digest([tmp_path]) == first
    (tmp_path / "a.css").write_text("p { }")
    second = digest([tmp_path])
    (tmp_path / "a.css").rename(tmp_path / "b.css")
    assert len({first, second, digest([tmp_path])}) == 3
