"""What tests and doctests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow, too")
    parser.addoption("--browser", action="store_true", help="run the tests in a browser, too; needs Chromium")


LONGEST = ("training", "evaluation", "nn", "page", "scan", "data")
"""Folders whose files take longest: they begin first, so that no process works alone at the end."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tests = config.rootpath / "tests"
    items.sort(key=lambda item: item.path.parent not in [tests / folder for folder in LONGEST])
    shared = Path(__file__).resolve().parent.parent / "shared" / "data"
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))
        if "browser" in item.keywords and not config.getoption("--browser"):
            item.add_marker(pytest.mark.skip(reason="browser: run with --browser"))
        if "shared" in item.keywords and not shared.exists():
            item.add_marker(pytest.mark.skip(reason="needs ../shared/data, which is absent"))


@pytest.fixture(autouse=True)
def doctest_names(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["np"] = np
