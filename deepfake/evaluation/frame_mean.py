"""What a bundle said of frames -> the measures of DeepfakeBench, so that numbers can stand beside those of others.

They differ from the measures of this package in how the frames of a video become its score: there by their plain mean,
here by a robust one. DeepfakeBench takes videos in folders of one name for one video, so in the whole of
FaceForensics++ a fake of one method is averaged with those of the others; here each of them is a video.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from msgspec.structs import replace as with_fields

from deepfake.evaluation.evaluate import Evaluation, Sample, answered, counts_of, ranking
from deepfake.model.measured import FrameMean


def with_frame_means(evaluation: Evaluation) -> Evaluation:
    """The same evaluation with the measures of DeepfakeBench of each data set that has frames of videos."""
    return replace(evaluation, measures=with_fields(evaluation.measures, frame_means=frame_means(evaluation.samples)))


def frame_means(samples: Sequence[Sample]) -> dict[str, FrameMean]:
    """Each data set, measured frame by frame, and with the plain mean of its frames as a video's score.

    Args:
        samples: One a frame, of any data sets; those without a number are left out.

    Returns:
        The measures by source. A source has none whose clips have one frame each, or whose samples are of one class.

    Example:

    >>> frames = [Sample(label, "x", "", p, label) for label, p in (("real", 0.1), ("real", 0.6), ("fake", 0.5))]
    >>> found = frame_means(frames)["x"]
    >>> found.frame.auc, found.video.auc, found.videos.total
    (0.5, 1.0, 2)

    Reference:
        Yan, Zhang, Yuan, Lyu and Wu, "DeepfakeBench: a comprehensive benchmark of deepfake detection", NeurIPS 2023.
    """
    found = {}
    for source in sorted({sample.source for sample in samples}):
        frames = [sample for sample in samples if sample.source == source and sample.p_fake is not None]
        videos = _videos(frames)
        counts = counts_of(videos)
        if len(videos) < len(frames) and counts.real and counts.fake:
            found[source] = FrameMean(
                frames=counts_of(frames),
                frame=ranking(*answered(frames)),
                videos=counts,
                video=ranking(*answered(videos)),
            )
    return found


def _videos(frames: Sequence[Sample]) -> list[Sample]:
    """One sample a video: the plain mean of its frames."""
    by_clip = defaultdict(list)
    for frame in frames:
        by_clip[frame.clip].append(frame)
    return [replace(own[0], p_fake=float(np.mean([frame.p_fake for frame in own]))) for own in by_clip.values()]
