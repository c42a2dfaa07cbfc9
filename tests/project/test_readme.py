"""What README and CONTRIBUTING say is so: code runs, places and commands exist."""

import inspect
import re
import shlex
from pathlib import Path

import pytest
from modules import PLACE

from charlm.data import batches
from charlm.runs.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOT_THERE = {"_build/html/charlm.pdf", "book/NN_name.md", "_build/failure.log"}
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_its_python_runs(tmp_path, monkeypatch, names, capsys):
    """Every line of it; the training is shortened."""
    monkeypatch.chdir(tmp_path)
    Path("my_words.txt").write_text("\n".join(names[:2000]))
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line]) == 4
    assert "steps=500" in code
    exec(code.replace("steps=500", "steps=20"), {})
    words = capsys.readouterr().out
    assert words.count("'ma") == 5 and "±" in words


def test_its_commands_run(tmp_path, monkeypatch, names, capsys):
    """Every line of the shell on words of one's own; the training is shortened."""
    monkeypatch.chdir(tmp_path)
    Path("my_words.txt").write_text("\n".join(names[:2000]))
    (block,) = re.findall(r"```bash\n(charlm.*?)```", README, re.DOTALL)
    for line in block.splitlines():
        command, *arguments = shlex.split(line, comments=True)
        assert command == "charlm"
        arguments += ["--steps", "20"] if "runs/first" in arguments[3:4] else []
        monkeypatch.setattr("sys.argv", [command, *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0, line
    results = capsys.readouterr().out
    assert results.count("\nma") >= 19 and "runs/ngram" in results


def test_its_map_names_folders_only():
    """What each module is for stands in its first line, and nowhere else."""
    (block,) = re.findall(r"## What is where\n\n((?: {4}.*\n)+)", README)
    top = ROOT
    for line in block.splitlines():
        folder, inside = line.split()[0], line.startswith("      ")
        top = top if inside else ROOT / folder
        assert (top / folder if inside else top).is_dir(), line
    assert re.findall(r"^ {4,}\S+\.py\b", README, re.M) == []


def test_the_links_of_contributing_lead_somewhere():
    """Those of README are absolute: tests/project/test_release.py."""
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", CONTRIBUTING)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["readme", "contributing"])
def test_its_commands_of_make_are_there(text):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?:^|`)make ([a-z]+)", text, re.M)
    assert named
    assert set(named) <= set(re.findall(r"^([a-z]+):.*## ", makefile, re.M))


def test_each_place_that_contributing_names_is_there():
    places = set(PLACE.findall(CONTRIBUTING)) - NOT_THERE
    assert {"charlm/book/plots.py", "tests/taught/"} <= places
    assert [place for place in places if not any(ROOT.glob(place))] == []


def test_the_docstring_that_it_shows_is_the_package_s():
    source = inspect.getsource(batches)
    assert re.findall(r'    """.*?"""', CONTRIBUTING, re.S) == re.findall(
        r'    """.*?"""', source, re.S
    )


def test_the_example_of_the_set_up_page_prints_what_it_says(capsys):
    page = (ROOT / "book" / "setup.md").read_text(encoding="utf-8")
    exec("".join(re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)), {})
    (said,) = re.findall(r"^```text\n(.*?)^```", page, re.M | re.S)
    assert capsys.readouterr().out == said


def test_its_commands_are_those_of_the_set_up_page():
    lines = re.findall(
        r"^(python -m venv .*|pip install .*|jupyter-book .*)$", README, re.M
    )
    setup = (ROOT / "book" / "setup.md").read_text(encoding="utf-8")
    assert lines and all(line in setup for line in lines)


def test_make_takes_the_build_of_torch_that_the_set_up_page_takes():
    """On Linux, PyPI alone would bring gigabytes of CUDA libraries."""
    setup = (ROOT / "book" / "setup.md").read_text(encoding="utf-8")
    (index,) = re.findall(r"^pip install torch==\S+ --index-url (.*)$", setup, re.M)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    first = re.findall(r"^\t.*pip install .*$", makefile, re.M)[0]
    assert "^torch==" in first and "--extra-index-url $(TORCH)" in first
    assert re.findall(r"^TORCH := (.*)$", makefile, re.M) == [index]
