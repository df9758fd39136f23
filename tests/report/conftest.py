"""What a report is written about: one verdict of each kind."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def picture(detector, examples):
    return detector.detect(examples / "portrait.jpg")


@pytest.fixture(scope="session")
def video(detector, examples):
    return detector.detect(examples / "half_fake.mp4")


@pytest.fixture(scope="session")
def faceless(detector, examples):
    return detector.detect(examples / "no_face.jpg")
