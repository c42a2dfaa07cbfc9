"""What the README says is so: its Python runs, and its map names what is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_python_runs():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict = {}
    exec(code, names)
    assert names["model"].order == 3


def test_its_map_names_every_module_and_nothing_else():
    on_the_map = set(re.findall(r"^      (\w+\.py) ", README, re.MULTILINE))
    modules = {path.name for path in (ROOT / "charlm").glob("[!_]*.py")}
    not_shown = {"make_names.py"} | {f"exercises_part{n}.py" for n in range(1, 6)}
    assert on_the_map == modules - not_shown


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
