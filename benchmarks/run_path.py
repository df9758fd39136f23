"""Measures the run path on this machine: cold start, warm stages, faces against the `mtcnn` package, the graphs.

    python benchmarks/run_path.py [FOLDER OF ANOTHER BUNDLE]

Every ratio compares figures of this one run, taken in turn. Needs the training requirements for what is compared with.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from drawn import PORTRAIT, wide_portrait

from deepfake.faces.crops import cut_crop
from deepfake.faces.mtcnn import FaceFinder, FaceSettings
from deepfake.faces.pyramid import SMALLEST_FACE_PX
from deepfake.media import read_picture
from deepfake.model.bundle import DEFAULT_MODEL, GRAPHS, load_bundle, load_detector
from deepfake.model.scorer import Scorer
from deepfake.records import Frame
from deepfake.report.heatmap import overlay_frame

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Prints the tables."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print(f"{os.cpu_count()} cores; medians in milliseconds\n")
    cold_start()
    stages()
    faces()
    graphs(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_MODEL)


def cold_start(runs: int = 5) -> None:
    """A whole `detect` process against a process that only imports TensorFlow, in turn."""
    detect = [sys.executable, "-m", "deepfake", "detect", str(PORTRAIT)]
    imports = [sys.executable, "-c", "import tensorflow"]
    times: dict[str, list[float]] = {"detect": [], "import": []}
    for _ in range(runs + 1):
        for name, command in (("detect", detect), ("import", imports)):
            started = time.perf_counter()
            subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
            times[name].append(time.perf_counter() - started)
    # The first of each warms the disk's cache.
    ours, theirs = (1000 * statistics.median(times[name][1:]) for name in ("detect", "import"))
    print("Cold start")
    print(f"  detect one picture   {ours:8.0f}")
    print(f"  import tensorflow    {theirs:8.0f}   {theirs / ours:.1f} times detect\n")


def stages() -> None:
    """Each stage on one 1280 x 720 picture with one face, warm."""
    image = wide_portrait()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.jpg"
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        frame = read_picture(path)
        finder, bundle = FaceFinder(load_detector()), load_bundle()
        scorer = Scorer(bundle)
        found = finder.find([frame])[0]
        crops = [cut_crop(frame.image, face, bundle.crop) for face in found]
        scores = scorer.score(crops)
        work: dict[str, Callable[[], object]] = {
            "decode": lambda: read_picture(path),
            "faces": lambda: finder.find([frame]),
            "crops": lambda: [cut_crop(frame.image, face, bundle.crop) for face in found],
            "scores": lambda: scorer.score(crops),
            "evidence": lambda: overlay_frame(frame.image, scores),
        }
        print(f"Stages, one 1280 x 720 picture, {len(found)} face")
        medians = {name: median_ms(job) for name, job in work.items()}
    for name, value in medians.items():
        print(f"  {name:<10}{value:8.1f}")
    print(f"  {'all':<10}{sum(medians.values()):8.1f}\n")


def faces() -> None:
    """The cascade against the `mtcnn` package on one 1280 x 720 frame, for the same smallest face."""
    from mtcnn import MTCNN

    package, networks, image = MTCNN(), load_detector(), wide_portrait()
    print("Faces, one 1280 x 720 frame")
    for smallest_px in (20, 43, 72):
        # The package's own setting can crash above 20: to search larger faces, its picture is shrunk.
        scale = SMALLEST_FACE_PX / smallest_px
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
        finder = FaceFinder(networks, FaceSettings(min_face_share=smallest_px / 720))
        find, package_find = partial(finder.find, [Frame(image, 0, Fraction(0))]), partial(package.detect_faces, small)
        ours, theirs = medians_in_turn(find, package_find)
        print(
            f"  smallest face {smallest_px:3d} px: ours {ours:7.1f} ({len(find()[0])} found), "
            f"package {theirs:7.1f} ({len(package_find())} found)   {theirs / ours:.1f} times"
        )
    print()


def graphs(beside: Path) -> None:
    """One crop through each graph of the bundle, in turn with that of another."""
    crop = np.random.default_rng(0).integers(0, 256, (load_bundle().crop.size,) * 2 + (3,)).astype(np.float32)
    print(f"Graphs of {DEFAULT_MODEL.name}, one crop, beside those of {beside.name}")
    for name in GRAPHS:
        one, other = (Scorer(load_bundle(bundle, graph=name)) for bundle in (DEFAULT_MODEL, beside))
        ours, theirs = medians_in_turn(partial(one.logit, crop), partial(other.logit, crop), runs=50)
        size = (DEFAULT_MODEL / name).stat().st_size / 1e6
        print(f"  {name:<22}{ours:8.1f} beside {theirs:.1f}   {size:.2f} MB")


def median_ms(job: Callable[[], object], runs: int = 25) -> float:
    """Median wall time of a job in milliseconds, after two runs that do not count."""
    return medians_in_turn(job, lambda: None, runs)[0]


def medians_in_turn(one: Callable[[], object], other: Callable[[], object], runs: int = 15) -> tuple[float, float]:
    """Median wall times in milliseconds of two jobs that run in turn, after two rounds that do not count."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs + 2):
        for job, found in zip((one, other), times, strict=True):
            started = time.perf_counter()
            job()
            found.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[0][2:]), statistics.median(times[1][2:])


if __name__ == "__main__":
    main()
