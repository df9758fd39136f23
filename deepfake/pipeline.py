"""detect(path) -> Verdict: the only file that knows every stage.

media -> Frame -> faces -> Face -> tracks -> crops -> Crop -> scores -> Score -> verdict -> Verdict
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from deepfake.faces.crops import cut_crop
from deepfake.faces.mtcnn import FaceFinder, FaceSettings
from deepfake.faces.tracks import Tracker
from deepfake.media import MAX_PIXELS, Opener, open_media
from deepfake.model.bundle import DEFAULT_MODEL, DETECTOR, load_bundle, load_detector
from deepfake.model.scorer import Scorer
from deepfake.provenance.c2pa import trust_anchors
from deepfake.records import Frame, Sampling, Score, Step, Verdict
from deepfake.verdict import decide

FRAMES_A_BATCH = 8
"""Frames of a video that are searched for faces together."""
Progress = Callable[[int, int], object]
"""Called with the number of frames, crops or files done, and their total."""


class Detector:
    """The whole pipeline with its networks loaded: make one, ask it often.

    One instance serves one thread.

    Args:
        model: Folder of a bundle.
        trust: Whether to use a bundle whose files differ from their checksums.
        face_settings: What counts as a face.
        threads: Number of threads that each network may use.
        opener: What opens the files; `deepfake.media.isolated.open_isolated` for those of strangers.

    Raises:
        BundleError: If a bundle is missing, damaged or made for another version.
        DeepfakeError: If the trust list that is configured cannot be used.

    Example:

    >>> detector = Detector()
    >>> len(detector.detect("examples/portrait.jpg").scores)
    1
    """

    def __init__(
        self,
        model: Path | str = DEFAULT_MODEL,
        trust: bool = False,
        face_settings: FaceSettings | None = None,
        threads: int = 2,
        opener: Opener = open_media,
    ) -> None:
        self.bundle = load_bundle(model, trust=trust)
        self._finder = FaceFinder(load_detector(DETECTOR), face_settings, threads)
        self._scorer = Scorer(self.bundle, threads)
        self._open = opener
        self._anchors = trust_anchors()

    def detect(
        self,
        path: Path | str,
        sampling: Sampling | None = None,
        progress: Progress = lambda done, total: None,
    ) -> Verdict:
        """Says whether the faces in a picture or a video were manipulated or generated.

        Args:
            path: The file.
            sampling: Which frames of a video to look at; the default is 24, spread evenly.
            progress: Called after each frame.

        Raises:
            MediaError: If the file cannot be read.
        """
        steps = self.steps(path, sampling)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            progress(step.done, step.total)

    def steps(
        self,
        path: Path | str,
        sampling: Sampling | None = None,
        turn: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> Generator[Step, None, Verdict]:
        """Does what `detect` does, one frame at a time: for callers who show progress, stop early or take turns.

        Args:
            path: The file.
            sampling: As for `detect`.
            turn: Entered whenever the networks are used, never while the file is read: threads that share a detector
                pass one that lets in one at a time.

        Yields:
            What was seen in each frame.

        Returns:
            The verdict: the `value` of the `StopIteration` at the end, or of `yield from`.

        Raises:
            MediaError: If the file cannot be read.

        Example:

        >>> [len(step.scores) for step in Detector().steps("examples/portrait.jpg")]
        [1]
        """
        started = time.perf_counter()
        sampling = sampling or Sampling()
        media = self._open(path, sampling)
        scores: list[Score] = []
        times: dict[int, float] = {}
        faces_found = 0
        tracker = Tracker()
        for batch in _batches(media, FRAMES_A_BATCH):
            with turn():
                found_in = self._finder.find(batch)
            for frame, found in zip(batch, found_in, strict=True):
                times[frame.index] = frame.time_s
                faces = tracker.follow(frame.image, found)
                faces_found += len(faces)
                crops = [cut_crop(frame.image, face, self.bundle.crop) for face in faces]
                with turn():
                    own = self._scorer.score([crop for crop in crops if crop.side >= self.bundle.min_face_px])
                scores += own
                yield Step(len(times), len(media), frame.time_s, tuple(own))

        min_frames = 1 if media.kind == "picture" else self.bundle.min_frames
        calibration = self.bundle.calibration.of_person(in_video=media.kind == "video")
        decision = decide(scores, times, calibration, min_frames, faces_found)
        return Verdict(
            path=str(path),
            kind=media.kind,
            label=decision.label,
            reason=decision.reason,
            p_fake=decision.p_fake,
            thresholds=calibration.thresholds,
            face_thresholds=self.bundle.calibration.face.thresholds,
            scores=tuple(scores),
            times=times,
            tracks=decision.tracks,
            sampling=sampling,
            frames_read=len(times),
            frames_failed=media.frames_failed,
            credentials=media.credentials(self._anchors),
            model=self.bundle.model,
            elapsed_s=time.perf_counter() - started,
            experts=self.bundle.experts,
        )


def detect(path: Path | str, model: Path | str = DEFAULT_MODEL, sampling: Sampling | None = None) -> Verdict:
    """Says whether the faces in one picture or video were manipulated or generated.

    Loads the networks each time; for many files make one `Detector`.

    Args:
        path: A picture (JPEG, PNG, WebP, BMP, TIFF) or a video (MP4, MOV, AVI, MKV, WebM).
        model: Folder of a bundle.
        sampling: Which frames of a video to look at.

    Raises:
        MediaError: If the file cannot be read.
        BundleError: If the bundle cannot be used.

    Example:

    >>> verdict = detect("examples/no_face.jpg")
    >>> str(verdict.label), str(verdict.reason)
    ('inconclusive', 'no_face')
    """
    return Detector(model).detect(path, sampling)


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """Frames that are searched together; where they are large, fewer, for all of a batch are in memory at once."""
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == size or sum(frame.image[..., 0].size for frame in batch) > MAX_PIXELS // 2:
            yield batch
            batch = []
    if batch:
        yield batch
