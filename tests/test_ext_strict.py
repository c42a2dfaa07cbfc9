"""A build that did not end clean makes the next one read every page again."""

from types import SimpleNamespace

import pytest
from strict import begin, finish


@pytest.fixture
def app(tmp_path):
    (tmp_path / "environment.pickle").touch()
    return SimpleNamespace(doctreedir=tmp_path, _warncount=0, statuscode=0)


@pytest.mark.parametrize("end", ["warning", "exception", "killed", "clean"])
def test_next_build(app, tmp_path, end):
    begin(app, None)
    app._warncount = int(end == "warning")
    if end != "killed":
        finish(app, RuntimeError() if end == "exception" else None)
    assert app.statuscode == (end == "warning")
    begin(app, None)
    assert (tmp_path / "environment.pickle").exists() == (end == "clean")
