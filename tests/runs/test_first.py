"""The run that comes with the package: small, known by its digest, and at work."""

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

import charlm
from charlm import open_run
from charlm.runs.run import new

ROOT = Path(__file__).parents[2]
FOLDER = Path(charlm.__file__).parent / "first"
#: After `make first`, or after a change of the format: what `sha256sum` says.
DIGESTS = {
    "config.json": ("b33fe15c3f037cd7f8e969ce4b85f4e194ec065102dc71adb0cfd941d863aa5c"),
    "model.safetensors": (
        "060a6da5c72832cbc2b6d02d1079cdce7a51d7cbac722c71338d70d91752ca4e"
    ),
}


def test_it_is_the_one_that_was_trained():
    found = {
        name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
        for name in DIGESTS
    }
    assert found == DIGESTS
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(DIGESTS)


def test_it_is_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 400_000


def test_a_wheel_has_it():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(f'"first/{name}"' in project for name in DIGESTS)
    assert files("charlm").joinpath("first", "config.json").is_file()


def test_names_without_a_run_of_one_s_own(command, monkeypatch, tmp_path, names):
    monkeypatch.chdir(tmp_path)
    status, out, err = command("sample", "-n", 30, "--seed", 1)
    assert (status, err) == (0, "")
    words = out.splitlines()
    assert len(words) == 30 and all(re.fullmatch("[a-z]+", word) for word in words)
    known = {*names}
    assert 3 < sum(word in known for word in words) < 27
    _, out, _ = command("sample", "--novel", "-n", 5, "--prefix", "ma", "--json")
    assert not known & {*json.loads(out)["words"]}
    assert list(tmp_path.iterdir()) == []


def test_its_loss_is_what_its_history_says(tmp_path):
    run = open_run()
    best = min(row.dev_loss for row in run.history)
    assert best < 1.975
    some = run.words("dev")[:500]
    assert abs(run.evaluate(some).loss - best) < 0.1
    assert run.config.data.path is None
    assert run.config.recipe == new(tmp_path / "new").config.recipe


def test_the_command_that_made_it_stands_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert (
        "charlm train --quiet --model gru --device cpu --out charlm/first" in makefile
    )
    assert "make first" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
