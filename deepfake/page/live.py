"""The camera's frames, judged one by one as they come."""

from __future__ import annotations

import time
from collections import deque

import gradio as gr

from deepfake.errors import LimitError
from deepfake.page.answers import live_answer, notice
from deepfake.page.clients import asking_client
from deepfake.page.jobs import Jobs
from deepfake.page.language import words_for
from deepfake.records import Image
from deepfake.report.drawing import shrunk
from deepfake.report.files import annotated_faces
from deepfake.verdict import judge

FRAME_SIDE = 480
"""Frames are shrunk to this longer side in pixels: a face that fills half of one has all that the network looks at."""
EVERY_S = 0.2
"""How often a browser sends a frame; it waits for the answer about the last."""
LIMIT_S = 120
"""How long a camera is watched at most, in seconds."""
RECENT = 8
"""Frames that the rate is the mean of."""


class Camera:
    """Judges what cameras send.

    Args:
        jobs: Who answers.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def judge_frame(
        self, image: Image | None, times: deque[float] | None, request: gr.Request | None = None
    ) -> tuple[str, Image | None, deque[float]]:
        """The answer about one frame, the frame with its faces marked, and when the last ones were answered."""
        say, times = words_for(request), times or deque(maxlen=RECENT)
        if image is None:
            return notice(say("page.live"), say("page.live_waiting"), say), None, times
        small = shrunk(image, FRAME_SIDE)
        try:
            scores = self.jobs.frame(small, asking_client())
        except LimitError as error:
            return notice(say("page.refused"), str(error), say), small, times
        times.append(time.monotonic())
        rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
        thresholds = self.jobs.detector.face_thresholds
        labels = [judge(score.p_fake, thresholds) for score in scores]
        return live_answer(scores, labels, rate, say), annotated_faces(small, scores, labels), times
