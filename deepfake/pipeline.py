"""detect(path) -> Verdict: the only file that knows every stage.

media -> Frame -> faces -> Face -> tracks -> crops -> Crop -> scores -> Score -> verdict -> Verdict
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from deepfake.face_scorer import FaceScorer
from deepfake.faces.mtcnn import FaceFinder, FaceSettings
from deepfake.faces.quality import quality_of
from deepfake.faces.search import find_faces
from deepfake.faces.second_look import SecondLook
from deepfake.faces.tracks import Tracker
from deepfake.media import MediaReader, Opener, open_media
from deepfake.media.compression import source_of
from deepfake.model.bundle import DEFAULT_MODEL, DETECTOR, load_detector
from deepfake.provenance.c2pa import trust_anchors
from deepfake.records import Face, Frame, Image, Sampling, Score, Step, Thresholds, Verdict, WholePicture
from deepfake.verdict import decide
from deepfake.whole_picture import PictureScorer

Progress = Callable[[int, int], object]
"""Called with the number of frames, crops or files done, and their total."""
CROPS_A_TURN = 8
"""Faces that are scored in one turn, so that a crowd keeps nobody waiting for long."""


class Analysis(Iterator[Step]):
    """A file that is being looked at: yields what was seen in each frame, and has the verdict when it has ended.

    Args:
        steps: What does the work and returns the verdict.
    """

    def __init__(self, steps: Generator[Step, None, Verdict]) -> None:
        self._steps = steps
        self._verdict: Verdict | None = None

    def __next__(self) -> Step:
        try:
            return next(self._steps)
        except StopIteration as end:
            self._verdict = self._verdict or end.value
            raise

    @property
    def verdict(self) -> Verdict:
        """The answer.

        Raises:
            ValueError: If the analysis has not ended.
        """
        if self._verdict is None:
            raise ValueError("An analysis has a verdict when it has ended. Iterate over it to its end first.")
        return self._verdict

    def close(self) -> None:
        """Stops it; the file is closed, and there will be no verdict."""
        self._steps.close()


class Detector:
    """The whole pipeline with its networks loaded: make one, ask it often.

    One instance serves one thread.

    Args:
        model: Folder of a bundle.
        trust: Whether to use a bundle whose files differ from their checksums.
        face_settings: What counts as a face.
        threads: Number of threads that each network may use.
        opener: What opens the files; `deepfake.media.isolated.open_isolated` for those of strangers.
        trust_list: A PEM file with the certificates of those who vouch for the signers of Content Credentials; without
            one nobody does.
        stability: Whether to look at each judged face again after harmless changes, see `deepfake.faces.changes`: an
            answer that one of them would change is `inconclusive`, and the networks take five times as long.
        whole_picture: Whether to say of each picture, too, whether it was generated as a whole, see
            `deepfake.whole_picture`; of a video nothing is said.

    Raises:
        BundleError: If a bundle is missing, damaged or made for another version, or cannot judge whole pictures.
        DeepfakeError: If the trust list cannot be used.

    Example:

    >>> detector = Detector()
    >>> len(detector.detect("examples/portrait.jpg").scores)
    1
    """

    def __init__(
        self,
        model: Path | str = DEFAULT_MODEL,
        *,
        trust: bool = False,
        face_settings: FaceSettings | None = None,
        threads: int = 2,
        opener: Opener = open_media,
        trust_list: Path | None = None,
        stability: bool = False,
        whole_picture: bool = False,
    ) -> None:
        self._scorer = FaceScorer(model, trust=trust, threads=threads)
        self._pictures = PictureScorer(self._scorer.scorer) if whole_picture else None
        self.bundle = self._scorer.bundle
        # Where its measures lie, for whoever says how often it errs.
        self.model = Path(model)
        self._finder = FaceFinder(load_detector(DETECTOR), face_settings, threads)
        self._open = opener
        self._looks_again = stability
        self._anchors = trust_anchors(trust_list) if trust_list else ""

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
        analysis = self.analyse(path, sampling)
        for step in analysis:
            progress(step.done, step.total)
        return analysis.verdict

    def analyse(
        self,
        path: Path | str,
        sampling: Sampling | None = None,
        turn: Callable[[], AbstractContextManager[object]] = nullcontext,
        min_face_share: float | None = None,
    ) -> Analysis:
        """Does what `detect` does, one frame at a time: for callers who show progress, stop early or take turns.

        Args:
            path: The file.
            sampling: As for `detect`.
            turn: Entered whenever the networks are used, never while the file is read: threads that share a detector
                pass one that lets in one at a time.
            min_face_share: The smallest face that is searched for in this file, as `FaceSettings.min_face_share`; None
                for that of the detector's settings.

        Returns:
            What yields the steps, raises `MediaError` if the file cannot be read, and has the verdict at its end.

        Example:

        >>> analysis = Detector().analyse("examples/portrait.jpg")
        >>> [len(step.scores) for step in analysis]
        [1]
        >>> analysis.verdict.frames_read
        1
        """
        if min_face_share is not None:
            FaceSettings(min_face_share=min_face_share)  # Checks it.
        look = partial(SecondLook, self._finder, min_face_share)
        return Analysis(self._steps(path, sampling or Sampling(), turn, look))

    @property
    def face_thresholds(self) -> Thresholds:
        """Where `real` ends and `fake` begins for the face in a single frame."""
        return self.bundle.calibration.face.thresholds

    def score(
        self, image: Image, turn: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> tuple[Score, ...]:
        """Scores the faces of one frame that is in memory, such as a camera's; without tracks, and without a verdict.

        Args:
            image: RGB uint8 `(height, width, 3)`.
            turn: As for `analyse`.

        Example:

        >>> import numpy as np
        >>> Detector().score(np.zeros((64, 64, 3), np.uint8))
        ()
        """
        with turn():
            (faces,) = self._finder.find([Frame(image, 0, Fraction(0))])
        return self._scored(image, [replace(face, track=place) for place, face in enumerate(faces)], turn)

    def _scored(
        self, image: Image, faces: Sequence[Face], turn: Callable[[], AbstractContextManager[object]]
    ) -> tuple[Score, ...]:
        """Scores those faces of a frame that are large enough."""
        large = self._scorer.cut(image, faces)
        scores: list[Score] = []
        for start in range(0, len(large), CROPS_A_TURN):
            with turn():
                scores += self._scorer.score(large[start : start + CROPS_A_TURN])
        return tuple(replace(score, quality=quality_of(crop)) for score, crop in zip(scores, large, strict=True))

    def _steps(
        self,
        path: Path | str,
        sampling: Sampling,
        turn: Callable[[], AbstractContextManager[object]],
        look_anew: Callable[[], SecondLook],
    ) -> Generator[Step, None, Verdict]:
        started = time.perf_counter()
        with closing(self._open(path, sampling)) as media:
            verdict = yield from self._judged(media, path, sampling, turn, look_anew)
        return replace(verdict, elapsed_s=time.perf_counter() - started)

    def _judged(
        self,
        media: MediaReader,
        path: Path | str,
        sampling: Sampling,
        turn: Callable[[], AbstractContextManager[object]],
        look_anew: Callable[[], SecondLook],
    ) -> Generator[Step, None, Verdict]:
        """The steps and the verdict of an open file, without the time that it took."""
        scores: list[Score] = []
        times: dict[int, float] = {}
        faces_found = 0
        whole: WholePicture | None = None
        tracker = Tracker()
        width = height = 0

        looks = [look_anew()]

        def find(batch: Sequence[Frame]) -> list[list[Face]]:
            with turn():
                if media.kind == "video":
                    return looks[0].find(batch)
                # Each page may lie as it likes.
                own = [look_anew() for _ in batch]
                looks.extend(own)
                return [look.find([page])[0] for look, page in zip(own, batch, strict=True)]

        for frame, found in find_faces(media, find):
            times[frame.index] = frame.time_s
            if media.kind == "picture":
                tracker.cut()  # Pages show different people.
            faces = tracker.follow(frame.image, found)
            faces_found += len(faces)
            own = self._scored(frame.image, faces, turn)
            if self._looks_again:
                own = self._scorer.look_again(frame.image, own, turn, answered_only=media.kind == "picture")
            if self._pictures and media.kind == "picture":
                whole = _more_suspicious(whole, self._pictures.judge(frame.image, frame.index, turn))
            height, width = frame.image.shape[:2]
            scores += own
            yield Step(len(times), len(media), frame, own)

        min_frames = 1 if media.kind == "picture" else self.bundle.min_frames
        calibration = self.bundle.calibration.of_person(in_video=media.kind == "video")
        part = self.bundle.calibration.part if media.kind == "video" else None
        credentials = media.credentials(self._anchors)
        decision = decide(scores, times, calibration, min_frames, faces_found, part)
        return Verdict(
            path=str(path),
            kind=media.kind,
            label=decision.label,
            reason=decision.reason,
            p_fake=decision.p_fake,
            thresholds=decision.thresholds,
            face_thresholds=self.face_thresholds,
            scores=tuple(scores),
            times=times,
            tracks=decision.tracks,
            sampling=sampling,
            frames_read=len(times),
            frames_failed=media.frames_failed,
            credentials=credentials,
            origin=media.origin().with_credentials(credentials),
            model=self.bundle.model,
            elapsed_s=0.0,
            experts=self.bundle.experts,
            parts=decision.parts,
            notes=tuple(dict.fromkeys([*media.notes, *(note for look in looks for note in look.notes)])),
            source=source_of(Path(path), width, height, media.duration),
            stability=decision.stability,
            unstable_under=decision.unstable_under,
            unstable_tracks=decision.unstable_tracks,
            whole_picture=whole,
        )


def _more_suspicious(known: WholePicture | None, found: WholePicture | None) -> WholePicture | None:
    """Of two pages the one that rather looks generated; None where neither could be judged."""
    if known and found:
        return max(known, found, key=lambda own: own.p_generated)
    return known or found


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
