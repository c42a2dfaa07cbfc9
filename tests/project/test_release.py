"""What a release promises: one version, whole distributions, careful workflows."""

import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

import charlm

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
SITE = "https://charlm-book.github.io/charlm/"
SOURCE = "https://github.com/charlm-book/charlm"


def test_the_version_is_written_once():
    assert "version" not in PROJECT["project"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "charlm.__version__"
    }
    assert CITATION["version"] == charlm.__version__
    released = re.findall(r"^## \[?(\d+\.\d+\.\d+)\]?", CHANGES, re.M)
    assert released[0] == charlm.__version__


def test_the_citation_says_where_and_what():
    assert CITATION["url"] == SITE and CITATION["repository-code"] == SOURCE
    assert len(CITATION["keywords"]) >= 4 and CITATION["authors"]
    assert re.search(
        rf"^## \[?{re.escape(CITATION['version'])}\]? - {CITATION['date-released']}$",
        CHANGES,
        re.M,
    )


def test_the_changes_have_the_form_of_keep_a_changelog():
    assert "https://keepachangelog.com" in CHANGES
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    first = CHANGES.partition("\n## ")[2].partition("\n## ")[0]
    found = re.findall(r"^### (.+)$", first, re.M)
    assert found and set(found) <= kinds and len(found) == len({*found})


def test_the_metadata_lead_to_the_project():
    project = PROJECT["project"]
    assert project["authors"] and {"Homepage", "Source", "Issues", "Changelog"} <= {
        *project["urls"]
    }
    assert all(url.startswith((SITE, SOURCE)) for url in project["urls"].values())
    for name in project["license-files"]:
        assert (ROOT / name).is_file()


def test_readme_holds_on_a_package_index():
    """There no file of the repository lies beside it."""
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert len(links) > 8
    assert [link for link in links if not link.startswith("https://")] == []
    for link in links:
        if link.startswith(f"{SOURCE}/blob/main/"):
            assert (ROOT / link.removeprefix(f"{SOURCE}/blob/main/")).exists(), link
        elif link.startswith(f"{SITE}book/"):
            page = link.removeprefix(SITE).partition("#")[0]
            assert (ROOT / page).with_suffix(".md").is_file(), link
        elif link.startswith(f"{SITE}_static/"):
            assert (ROOT / "book/assets" / link.rpartition("/")[2]).is_file(), link
    opening = README.partition("## Build the book")[0]
    assert f"({SITE})" in opening and "\npip install charlm\n" in opening


def test_the_text_has_its_license_beside_the_code_s():
    text = (ROOT / "LICENSE-CC-BY-4.0").read_text(encoding="utf-8")
    assert "Attribution 4.0 International Public License" in text
    assert all(f"Section {n} -- " in text for n in range(1, 9))


def test_the_source_distribution_has_all_that_git_has(tmp_path):
    """So its tests run: they read the pages, the workflows and each other."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("this is no clone")
    names = {name for name in listed.stdout.split("\0") if name}
    names = {name for name in names if (ROOT / name).is_file()}
    for name in names:  # a copy: what a build leaves behind is not wanted here
        (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / name).write_bytes((ROOT / name).read_bytes())
    build = "from setuptools.build_meta import build_sdist; build_sdist('../dist')"
    done = subprocess.run(
        [sys.executable, "-c", build],
        cwd=tmp_path / "copy",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    assert archive.name == f"charlm-{charlm.__version__}.tar.gz"
    with tarfile.open(archive) as file:
        inside = {name.partition("/")[2] for name in file.getnames()}
    assert sorted(names - inside) == []


WORKFLOWS = {
    path.name: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / ".github/workflows").glob("*.yml"))
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_takes_no_more_than_it_needs(name):
    workflow = yaml.safe_load(WORKFLOWS[name])
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 180
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
            # What an event says is data, and no part of a script.
            assert "${{" not in step.get("run", "")
    writing = [job for job in workflow["jobs"].values() if "permissions" in job]
    assert all(job["if"] == "github.ref == 'refs/heads/main'" for job in writing)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_an_action_is_pinned_by_its_digest(name):
    used = re.findall(r"uses: (.+)$", WORKFLOWS[name], re.M)
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


def test_one_action_has_one_version():
    used = set(re.findall(r"uses: (.+)$", "\n".join(WORKFLOWS.values()), re.M))
    assert len(used) == len({action.partition("@")[0] for action in used})


def test_other_systems_and_outside_links_are_tried():
    book, portable = map(yaml.safe_load, WORKFLOWS.values())
    systems = book["jobs"]["fast"]["strategy"]["matrix"]["os"]
    assert {system.partition("-")[0] for system in systems} == {"windows", "macos"}
    assert {"pythons", "lowest", "links", "pages"} <= {*portable["jobs"]}
    assert True in portable and "schedule" in portable[True]  # YAML takes on for true
