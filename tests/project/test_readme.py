"""What the README says is so: its Python runs, and its map names what is there."""

import re
import shlex
from pathlib import Path

import pytest

from charlm.runs.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
        arguments += ["--steps", "20"] if "wavenet" in arguments else []
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


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_its_commands_are_those_of_the_set_up_page():
    lines = re.findall(
        r"^(python -m venv .*|pip install .*|jupyter-book .*)$", README, re.M
    )
    setup = (ROOT / "book" / "setup.md").read_text(encoding="utf-8")
    assert lines and all(line in setup for line in lines)
