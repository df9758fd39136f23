from __future__ import annotations

import cv2
import pytest

from deepfake.scan.worker import ScanSettings


@pytest.fixture(scope="session")
def settings():
    return ScanSettings()


@pytest.fixture(scope="session")
def identity(settings):
    return settings.identity


@pytest.fixture
def photos(portrait, tmp_path):
    """Writes that many different small photographs to a folder."""

    def write(number, folder=tmp_path / "photos"):
        folder.mkdir(parents=True, exist_ok=True)
        small = cv2.cvtColor(cv2.resize(portrait.image, (220, 205)), cv2.COLOR_RGB2BGR)
        for index in range(number):
            marked = small.copy()
            marked[:4, :64] = [(255 * (index >> bit & 1),) * 3 for bit in range(16) for _ in range(4)]
            cv2.imwrite(str(folder / f"{index:04d}.png"), marked)
        return folder

    return write
