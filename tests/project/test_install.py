"""What README promises of a fresh machine: its lines run as they stand.

Each makes an environment and asks the network for packages, so they are slow. Alone
they need nothing but pytest:

    pytest --noconftest -m slow tests/project/test_install.py
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.network]
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES = (ROOT / "charlm" / "names.txt").read_text(encoding="utf-8").split()


def block(start):
    """The block of code in README that starts like this."""
    (code,) = re.findall(rf"^```\w+\n({re.escape(start)}.*?)^```", README, re.M | re.S)
    return code


def sh(script, folder, first=None):
    """Run lines of the shell in a folder, with the commands of `first` found first."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    env["PATH"] = os.pathsep.join(
        [str(first or Path(sys.executable).parent), env["PATH"]]
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


@pytest.fixture
def clone(tmp_path):
    """The files that git knows, as they are now."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    for name in listed.split("\0")[:-1]:
        copy = tmp_path / "clone" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy)
    return tmp_path / "clone"


def test_the_wheel_alone_runs_the_examples(clone, tmp_path):
    """In an environment that has nothing else, and in a folder without the package."""
    sh("python -m pip wheel -q --no-deps -w ../dist .", clone)
    sh("python -m venv fresh && fresh/bin/pip install -q dist/*.whl", tmp_path)
    commands, work = tmp_path / "fresh" / "bin", tmp_path / "work"
    work.mkdir()
    (work / "my_words.txt").write_text("\n".join(NAMES[:2000]))
    assert len(sh("charlm sample", work, commands).split()) > 15  # its own run
    said = sh(block("charlm train"), work, commands)
    assert said.count("\nma") >= 19 and "runs/ngram" in said
    (work / "example.py").write_text(block("from charlm import"))
    said = sh("python example.py", work, commands)
    assert said.count("'ma") == 5 and "±" in said


def test_the_source_distribution_passes_its_tests(clone, tmp_path):
    """Those of the package and of the repository, where it was unpacked."""
    sh("python -m venv fresh && fresh/bin/pip install -q build pytest", tmp_path)
    sh("../fresh/bin/python -m build -q --sdist -o ../dist .", clone)
    sh("tar xzf dist/charlm-*.tar.gz && mv charlm-* unpacked", tmp_path)
    unpacked, commands = tmp_path / "unpacked", tmp_path / "fresh" / "bin"
    sh("pip install -q -r requirements.txt -e .", unpacked, commands)
    tests = "tests/taught tests/runs tests/project"
    sh(f"pytest -q -n auto -m 'not slow' {tests}", unpacked, commands)


def test_the_plain_lines_build_the_book(clone):
    sh(block("python -m venv .venv\nsource"), clone)
    assert (clone / "_build" / "html" / "index.html").exists()
