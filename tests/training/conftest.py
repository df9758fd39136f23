from __future__ import annotations

import cv2
import numpy as np
import pytest

from deepfake.training.index import Row, write_index

CONFIG = """
[data]
index = "crops/index.csv"
terms = {{ made = "drawn for the test" }}
{data}
[crop]
size = 64
[network]
alpha = 0.35
backbone = "mobilenet_v2"
streams = "{streams}"
noise_width = 8
dropout = 0.0
[degrade]
rescale = 0
blur = 0
noise = 0
jpeg = 0
h264 = 0
erase = 0
move = 0
min_zoom = 1
rotation_deg = 0
[fit]
batch_size = 8
epochs = {epochs}
learning_rate = 0.02
warmup_epochs = 0.2
workers = {workers}
{fit}
"""
LANDMARKS = "21 26 43 26 32 38 23 48 41 48"


def draw_crops(folder, count=24, size=64):
    """Crops with a known truth: fakes carry a fine chequered pattern, reals do not."""
    rng = np.random.default_rng(5)
    chequer = ((np.indices((size, size)).sum(axis=0) % 2) * 24 - 12)[..., None]
    rows = []
    for number in range(count):
        split = ("train", "train", "val", "test")[number % 4]
        smooth = np.full((size, size, 3), rng.integers(60, 200), np.int64) + rng.integers(-4, 5, (size, size, 3))
        for label in ("real", "fake"):
            image = np.clip(smooth + (chequer if label == "fake" else 0), 0, 255).astype(np.uint8)
            method = "chequer" if label == "fake" else ""
            path = folder / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            rows.append(
                Row(
                    f"{label}/{number}.png",
                    label,
                    "made",
                    split,
                    f"g{number}",
                    method,
                    f"{label}{number}",
                    "",
                    LANDMARKS,
                )
            )
    write_index(folder / "index.csv", rows)
    return folder / "index.csv"


@pytest.fixture
def made_crops(tmp_path):
    def make(count=24, size=64):
        return draw_crops(tmp_path / "crops", count, size)

    return make


def config_text(streams="noise", epochs=6, workers=1, data="", fit=""):
    return CONFIG.format(streams=streams, epochs=epochs, workers=workers, data=data, fit=fit)


@pytest.fixture
def write_config(tmp_path):
    def write(tail="", **options):
        path = tmp_path / "run.toml"
        path.write_text(config_text(**options) + tail)
        return path

    return write


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A run that learned the drawn crops, and its bundle: `run`, `bundle`, `index`, `report`."""
    from types import SimpleNamespace

    from deepfake.training.calibrate import calibrate
    from deepfake.training.config import read_config
    from deepfake.training.export import export_run
    from deepfake.training.fit import fit

    home = tmp_path_factory.mktemp("drawn")
    index = draw_crops(home / "crops", 48)
    (home / "run.toml").write_text(config_text())
    fit(read_config(home / "run.toml"), home / "run", verbose=0)
    calibrate(home / "run")
    bundle = home / "models" / "drawn-1"
    report = export_run(home / "run", bundle, count=40)
    return SimpleNamespace(home=home, run=home / "run", bundle=bundle, index=index, report=report)
