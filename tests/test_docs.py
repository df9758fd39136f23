"""The documentation: what is generated is current, what is shown exists, and nothing is fetched from elsewhere."""

from __future__ import annotations

import re
import runpy

import click
import pytest
import yaml

import deepfake
from deepfake.cli.main import main
from deepfake.report.brief import brief


@pytest.fixture(scope="module")
def pages(root):
    """The text of every page in docs/, by its path."""
    folder = root / "docs"
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.md")}


def test_the_reference_of_the_commands_is_current(root, pages):
    reference = runpy.run_path(str(root / "scripts" / "write_cli_reference.py"))["reference"]
    assert pages["reference/cli.md"] == reference(), "run python -m scripts.write_cli_reference"


def test_answers_about_the_examples_are_shown_as_they_are(root, pages, detector):
    text = "\n".join([(root / "README.md").read_text(encoding="utf-8"), *pages.values()])
    shown = re.findall(r"^ *(\S.*?)  +(?:(\d+%) +)?(examples/\S+)  +(.+)$", text, re.MULTILINE)
    assert len(shown) > 4
    for answer, score, name, detail in shown:
        line = brief(detector.detect(root / name))
        assert (answer, score, detail) == (line.answer, line.score, line.detail), name


def test_every_command_and_option_that_is_shown_exists(pages):
    scan = main.commands["scan"]
    assert isinstance(scan, click.Group)
    for name, text in pages.items():
        for line in re.findall(r"^ *python -m deepfake (.+)$", text, re.MULTILINE):
            words = line.split("#")[0].split()
            command = main.commands.get(words[0])
            if name == "reference/cli.md" and command is None:
                assert "COMMAND" in line
                continue
            assert command is not None, f"{name}: {line}"
            assert not command.hidden, f"{name}: {line}"
            if command is scan and len(words) > 1:
                command = scan.commands.get(words[1], scan.commands["run"])
            known = {option for param in command.params for option in param.opts}
            assert {word for word in words if word.startswith("--")} <= known | {"--help"}, f"{name}: {line}"


def test_every_public_name_is_in_the_reference(pages):
    shown = set(re.findall(r"^::: deepfake\.(\w+)$", pages["reference/python.md"], re.MULTILINE))
    assert shown == set(deepfake.__all__)


def test_every_page_is_in_the_navigation(root, pages):
    listed = set(re.findall(r": ([\w/-]+\.md)$", (root / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(pages) <= listed


def test_the_site_asks_no_other_host(root, pages):
    settings = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    assert settings["theme"]["font"] is False
    assert not {"extra_css", "extra_javascript"} & set(settings)
    for name, text in pages.items():
        assert not re.search(r"!\[[^]]*\]\(https?:|<(script|img|iframe|link)\b|```mermaid", text), name


def test_every_python_block_is_python(pages):
    for name, text in pages.items():
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            compile(block, name, "exec")


def test_the_citation_names_this_project(root):
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"] == "deepfake"
    assert citation["license"] == "MIT"


def test_every_test_that_a_document_names_exists(root):
    named = {
        (document, name)
        for document in ("SECURITY.md", "CONTRIBUTING.md", "README.md")
        for name in re.findall(r"`(?:tests/)?([\w/]*test_\w+\.py)`", (root / document).read_text(encoding="utf-8"))
    }
    assert ("SECURITY.md", "test_supply.py") in named
    assert not {(document, name) for document, name in named if not (root / "tests" / name).is_file()}
