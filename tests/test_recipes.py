"""The recipes in scripts/: each can be read, says what it needs, and shows commands that there are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from deepfake.cli.main import main
from deepfake.data.config import read_config
from deepfake.training.ablate import read_variants

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
RECIPES = sorted(path.name for path in SCRIPTS.glob("*.toml"))


@pytest.fixture(params=RECIPES)
def recipe(request):
    return SCRIPTS / request.param


def test_a_recipe_is_a_configuration(recipe):
    is_ablation = "variant" in tomllib.loads(recipe.read_text(encoding="utf-8"))
    assert read_variants(recipe) if is_ablation else read_config(recipe)


def test_a_recipe_says_what_it_needs_and_needs_nothing_outside_the_repository(recipe):
    text = recipe.read_text(encoding="utf-8")
    assert re.search(r"^# Needs: ", text, re.MULTILINE)
    assert "../.." not in text


def test_the_commands_of_a_recipe_exist_and_their_recipes_too(recipe):
    for line in re.findall(r"^#   python -m deepfake (.+)$", recipe.read_text(encoding="utf-8"), re.MULTILINE):
        name, *words = line.split()
        command = main.commands[name]
        assert not command.hidden, line
        known = {option for param in command.params if isinstance(param, click.Option) for option in param.opts}
        assert {word for word in words if word.startswith("--")} <= known, line
        assert all((SCRIPTS.parent / word).is_file() for word in words if word.startswith("scripts/")), line


def test_one_recipe_starts_from_a_folder_alone():
    config = read_config(SCRIPTS / "folder.toml")
    assert not config.fit.initial_weights
    assert (config.fit.backbone_weights, config.data.fakes) == (
        str(SCRIPTS / "../weights/mobilenet_v3_small.weights.h5"),
        "given",
    )
