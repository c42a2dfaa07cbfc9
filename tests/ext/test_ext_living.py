"""Data and models reach the figures, which tests/site/test_living*.py then try."""

import json
from types import SimpleNamespace

import pytest
from bookext import living

DATA = {"data": {living.JSON: '{"a": 1}'}}


def model(text):
    return {"data": {living.MODEL: text}}


@pytest.fixture
def app(tmp_path):
    """A built book of two parts, whose cells have published data and two models."""
    cells = tmp_path / "jupyter_execute"
    cells.mkdir()
    first = {"numbers": DATA, "model_bigram": model("YQ==")}
    (cells / "one.glue.json").write_text(json.dumps(first))
    (cells / "two.glue.json").write_text(json.dumps({"model_mlp": model("Yg==")}))
    env = SimpleNamespace(
        config=SimpleNamespace(root_doc="one"), toctree_includes={"one": ["two"]}
    )
    builder = SimpleNamespace(format="html", get_target_uri=lambda page: f"{page}.html")
    return SimpleNamespace(env=env, builder=builder, outdir=tmp_path / "html")


@pytest.mark.parametrize(
    "asked, names",
    [("", ["bigram", "mlp"]), ("mlp", ["mlp"]), ("mlp no", ["mlp", "no"])],
)
def test_a_figure_is_told_where_its_models_are(app, monkeypatch, asked, names):
    missing = []
    monkeypatch.setattr(living.logger, "warning", lambda *a, **_: missing.append(a[1]))
    node = living.living(models=asked, start="em", docname="two")
    given = json.loads(living.data_of(app, node))
    assert given == {"folder": "_static/models", "models": names, "start": "em"}
    assert missing == [name for name in names if name == "no"]


def test_a_figure_gets_the_data_of_its_own_page(app, monkeypatch):
    missing = []
    monkeypatch.setattr(living.logger, "warning", lambda *a, **_: missing.append(a[1]))
    here, elsewhere = (
        living.data_of(app, living.living(data="numbers", docname=page))
        for page in ("one", "two")
    )
    assert (here, elsewhere, missing) == ('{"a": 1}', "", ["numbers"])


def test_models_are_files_and_scripts(app):
    living.write_models(app, None)
    files = {path.name: path for path in app.outdir.glob("_static/models/*")}
    assert files["bigram.safetensors"].read_bytes() == b"a"
    assert 'charlm.models["mlp"] = "Yg=="' in files["mlp.js"].read_text()
    assert len(files) == 4
