"""Measures the Detector beside the pipeline that a user would otherwise write, in turn, in one run.

    python benchmarks/beside.py --rounds 10 --out beside.json

Both look at the same files with the same model and must give the same answer: a 1280 x 720 picture with one face, and
24 frames of a 10 s clip of the same size. The other pipeline is the `mtcnn` package as it comes and
`keras.Model.predict`, one face at a time, on frames that OpenCV reads. Since the package searches smaller faces than
the Detector, it is measured a second time on frames shrunk until both search the same ones.

Each pipeline lives in a process of its own, so that its memory is its own; one waits while another works. Times are
medians after a warm-up; the processor time of all threads counts, too, since other work on the machine hardly moves it.
Prints a Markdown table. Needs the training requirements.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import click
import cv2
import numpy as np
from drawn import wide_portrait, write_clip

from deepfake.faces.crops import cut_crop
from deepfake.faces.mtcnn import FaceSettings
from deepfake.faces.pyramid import SMALLEST_FACE_PX
from deepfake.model.bundle import DEFAULT_MODEL, load_bundle
from deepfake.pipeline import Detector
from deepfake.records import Face, Image, Sampling

WARM_UP = 2
"""Rounds that do not count."""


class Pipeline(ABC):
    """Something that scores the faces of a file."""

    @abstractmethod
    def scores(self, path: Path) -> list[float]:
        """p_fake of each face of each frame."""


class Ours(Pipeline):
    """The Detector as it comes."""

    def __init__(self) -> None:
        self._detector = Detector()

    def scores(self, path: Path) -> list[float]:
        return [score.p_fake for score in self._detector.detect(path).scores]


class Theirs(Pipeline):
    """The `mtcnn` package and Keras, a frame and a face at a time."""

    def __init__(self, shrink: bool = False) -> None:
        import keras
        from mtcnn import MTCNN

        import deepfake.nn.network  # noqa: F401 - Keras must know the layers of the model

        self._finder, self._shrink, self._bundle = MTCNN(), shrink, load_bundle()
        self._model = keras.models.load_model(DEFAULT_MODEL / "model.keras", compile=False)

    def scores(self, path: Path) -> list[float]:
        frames = [_read_picture(path)] if path.suffix == ".jpg" else _read_clip(path, Sampling().frames)
        return [self._score(frame, face) for frame in frames for face in self._faces(frame)]

    def _faces(self, image: Image) -> list[Face]:
        scale = 1.0
        if self._shrink:
            # The package's own setting can crash above 20 px: its picture is shrunk instead.
            scale = SMALLEST_FACE_PX / (FaceSettings().min_face_share * min(image.shape[:2]))
            image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        found = self._finder.detect_faces(image, fit_to_image=False, box_format="xyxy", output_type="numpy")
        return [
            Face(
                tuple(row[1:5] / scale),
                (np.stack([row[6:11], row[11:16]], axis=1) / scale).astype(np.float32),
                float(row[5]),
            )
            for row in found
        ]

    def _score(self, image: Image, face: Face) -> float:
        crop = cut_crop(image, face, self._bundle.crop)
        logit = self._model.predict(crop.image[None].astype(np.float32), verbose=0)["logit"].item()
        return self._bundle.calibration.face.p_fake(logit)


def _read_picture(path: Path) -> Image:
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imread(str(path))), cv2.COLOR_BGR2RGB))


def _read_clip(path: Path, count: int) -> list[Image]:
    """The frames that `Sampling` takes from a clip of one frame rate."""
    video = cv2.VideoCapture(str(path))
    total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = {int(total * (2 * part + 1) / (2 * count)) for part in range(count)}
    frames = []
    for number in range(total):
        video.grab()
        if number in wanted:
            frames.append(np.asarray(cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2RGB)))
    video.release()
    return frames


class Answer(NamedTuple):
    """What a pipeline says of a file, and what that cost."""

    wall_s: float
    cpu_s: float
    """Processor time of all threads."""
    scores: list[float]
    peak_mb: float
    """Most memory that the process ever had."""


PIPELINES = ("Detector", "mtcnn + Keras", "mtcnn + Keras, shrunk")


def _serve(name: str, questions: Connection) -> None:
    """Answers each path with an `Answer`."""
    pipeline = Ours() if name == PIPELINES[0] else Theirs(shrink=name == PIPELINES[2])
    while (path := questions.recv()) is not None:
        started, begun = time.perf_counter(), time.process_time()
        scores = pipeline.scores(path)
        questions.send(Answer(time.perf_counter() - started, time.process_time() - begun, scores, peak_mb()))


def peak_mb() -> float:
    """Most memory that this process ever had, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


class Asked:
    """A pipeline in a process of its own."""

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(name, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, path: Path) -> Answer:
        """Lets it work, and waits."""
        self._line.send(path)
        answer: Answer = self._line.recv()
        return answer

    def close(self) -> None:
        """Ends the process."""
        self._line.send(None)
        self._process.join()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=10, show_default=True, help="Rounds over the clip; the picture has four times more.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here, as JSON.")
def main(rounds: int, out: Path | None) -> None:
    """Time the Detector beside the usual pipeline.

    \b
    Example:
      python benchmarks/beside.py --rounds 10 --out beside.json
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    figures: dict[str, Any] = {
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "load_before": os.getloadavg()[0],
        "rounds": rounds,
    }
    with tempfile.TemporaryDirectory() as folder:
        picture, clip = Path(folder) / "picture.jpg", write_clip(Path(folder) / "clip.mp4")
        cv2.imwrite(str(picture), cv2.cvtColor(wide_portrait(), cv2.COLOR_RGB2BGR))
        for name, path, runs in (("720p picture", picture, 4 * rounds), ("10 s 720p clip, 24 frames", clip, rounds)):
            figures[name] = measured(path, runs)
    print(table(figures))
    print(f"\n{os.cpu_count()} cores; load average before: {figures['load_before']:.1f}")
    if out:
        out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def measured(path: Path, rounds: int) -> dict[str, Any]:
    """Seconds and memory of each pipeline on a file, in turn, each in a fresh process."""
    pipelines = {name: Asked(name) for name in PIPELINES}
    answers: dict[str, list[Answer]] = {name: [] for name in PIPELINES}
    for turn in range(rounds + WARM_UP):
        for name, pipeline in pipelines.items():
            answer = pipeline.ask(path)
            if turn >= WARM_UP:
                answers[name].append(answer)
    for pipeline in pipelines.values():
        pipeline.close()
    wall, cpu = (
        {name: [getattr(a, what) for a in own] for name, own in answers.items()} for what in ("wall_s", "cpu_s")
    )
    return {
        name: {
            "median_s": statistics.median(wall[name]),
            "fastest_s": min(wall[name]),
            "p95_s": float(np.quantile(wall[name], 0.95)),
            "cpu_s": statistics.median(cpu[name]),
            "ratio": statistics.median(wall[name]) / statistics.median(wall[PIPELINES[0]]),
            "cpu_ratio": statistics.median(cpu[name]) / statistics.median(cpu[PIPELINES[0]]),
            "peak_mb": own[-1].peak_mb,
            "faces": len(own[-1].scores),
            "median_p_fake": statistics.median(own[-1].scores),
        }
        for name, own in answers.items()
    }


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "| input | pipeline | median | fastest | p95 | times the Detector's | processor time | times the Detector's "
        "| peak memory | faces | median p_fake |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for case, rows in figures.items():
        if not isinstance(rows, dict) or PIPELINES[0] not in rows:
            continue
        for name, row in rows.items():
            seconds = " | ".join(f"{1000 * row[key]:.0f} ms" for key in ("median_s", "fastest_s", "p95_s"))
            lines.append(
                f"| {case} | {name} | {seconds} | {row['ratio']:.1f} | {1000 * row['cpu_s']:.0f} ms "
                f"| {row['cpu_ratio']:.1f} | {row['peak_mb']:.0f} MB | {row['faces']} | {row['median_p_fake']:.3f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
