"""The README: its front matter starts a Space, its code runs."""

from __future__ import annotations

import re

import pytest
import yaml
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def test_the_front_matter_starts_a_space(readme, root):
    settings = yaml.safe_load(readme.split("---")[1])
    assert settings["sdk"] == "gradio"
    assert (root / settings["app_file"]).exists()
    lines = (root / "requirements.txt").read_text().splitlines()
    (gradio,) = (Requirement(line) for line in lines if line.startswith("gradio"))
    assert gradio.specifier.contains(settings["sdk_version"])
    assert len(settings["short_description"]) <= 60
    # The weights in the repository are not under the licence of the code.
    assert settings["license"] == "other"


def test_every_command_that_is_shown_exists(readme):
    from deepfake.cli.main import main

    shown = set(re.findall(r"python -m deepfake ([a-z-]+)", readme))
    assert shown
    assert shown <= set(main.commands)


def test_every_file_that_is_linked_exists(readme, root):
    links = {link for link in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in link}
    assert links
    assert all((root / link).exists() for link in links)
