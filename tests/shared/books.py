"""Tiny books, built with the real book's configuration, to try its promises on."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
NOTEBOOK = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"


def write_book(folder, pages, package=""):
    """A book of `pages` ({name: text}); the first is the root."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config.pop("bibtex_bibfiles")
    config["logo"] = str(ROOT / config["logo"])
    config["html"]["favicon"] = str(ROOT / config["html"]["favicon"])
    sphinx = config["sphinx"]
    sphinx["local_extensions"] = {
        name: str(ROOT / path) for name, path in sphinx["local_extensions"].items()
    }
    settings = sphinx["config"]
    for name in ("sphinxcontrib.bibtex", "notfound.extension"):  # it needs a tree
        settings["extensions"].remove(name)
    settings["html_static_path"] = [str(ROOT / "book" / "assets")]
    for name in ("html_extra_path", "notfound_context", "notfound_urls_prefix"):
        settings.pop(name)
    settings["fingerprint_package"] = package
    (folder / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    root, *others = pages
    toc = {"format": "jb-book", "root": root}
    if others:
        toc["chapters"] = [{"file": name} for name in others]
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def command(folder):
    """The plain build line, as the arguments of a process with one stream."""
    return {
        "args": [Path(sys.executable).with_name("jupyter-book"), "build", "."],
        "cwd": folder,
        "env": os.environ
        | {"NO_COLOR": "1", "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }


def build(folder):
    """The exit status and the log of the plain build line."""
    done = subprocess.run(**command(folder), timeout=300)
    return done.returncode, done.stdout
