"""DeepfakeBench."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from deepfake.data.datasets.lists import listed
from deepfake.data.datasets.walk import read_json
from deepfake.data.index import SPLITS, Row
from deepfake.errors import DatasetError

FRAMES = 32
"""Frames of a video that DeepfakeBench tests on: at most so many of it become rows, evenly over it."""
_LAYOUT = '{"FaceForensics++": {"FF-DF": {"test": {"c23": {"000_003": {"label": "FF-DF", "frames": ["000.png"]}}}}}}'


class _Video(msgspec.Struct, frozen=True):
    """One video of a list; its masks are not read."""

    label: str
    frames: list[str]


def deepfakebench(file: Path) -> list[Row]:
    """Rows of a list that DeepfakeBench writes (`dataset_json`): a frame each, in its official split.

    A label that ends in `real` is real, whatever its case, and every other one a method to fake. Where a data set has
    several compressions, each is a source of its own, such as `FaceForensics++_c23`. Some lists name a video in
    several splits; it is taken for the rarest use alone: test, else val, else train.

    Args:
        file: The list.

    Returns:
        Rows with paths as the list names them, by path.

    Raises:
        DatasetError: If it cannot be read, or is built otherwise.

    Reference:
        Yan, Zhang, Yuan, Lyu and Wu, "DeepfakeBench: a comprehensive benchmark of deepfake detection", NeurIPS 2023.
    """
    values, rows = read_json(file), dict[str, Row]()
    for split in reversed(SPLITS):
        for source, name, video in _videos(values, split, file):
            is_real = video.label.lower().endswith("real")
            for path in _evenly(video.frames):
                row = Row(
                    path=path,
                    label="real" if is_real else "fake",
                    source=source,
                    split=split,
                    identity=_originals(name) if video.label.startswith("FF-") else "",
                    method="" if is_real else video.label,
                    clip=f"{video.label}/{name}",
                )
                rows.setdefault(path, row)
    return [rows[path] for path in sorted(rows)]


def _videos(values: Any, split: str, file: Path) -> Iterator[tuple[str, str, _Video]]:
    """The source, the name and the frames of each video in one split."""
    for source, labels in _entries(values, file):
        for _, splits in _entries(labels, file):
            for compression, videos in _by_compression(dict(_entries(splits, file)).get(split, {}), file):
                for name, video in _entries(videos, file):
                    whole = f"{source}_{compression}" if compression else source
                    yield whole, name, _converted(video, file)


def _by_compression(videos: Any, file: Path) -> Iterator[tuple[str, Any]]:
    """The videos of each compression; the compression is empty where a data set has one version only."""
    if isinstance(videos, dict) and isinstance(videos.get("frames"), list):
        # The list of DFDC holds a video in the place of all videos of its validation split.
        yield "", {PurePosixPath(listed(videos["frames"][0])).parent.name: videos} if videos["frames"] else {}
        return
    entries = list(_entries(videos, file))
    if all(isinstance(value, dict) and "frames" in value for _, value in entries):
        yield "", videos
    else:
        yield from entries


def _entries(values: Any, file: Path) -> Iterator[tuple[str, Any]]:
    if not isinstance(values, dict):
        raise DatasetError(
            f"A list of DeepfakeBench is built as {_LAYOUT}. Received: {str(values)[:80]!r} in {file}, in the place of "
            "an object. Write it with preprocessing/rearrange.py."
        )
    yield from values.items()


def _converted(video: Any, file: Path) -> _Video:
    try:
        return msgspec.convert(video, _Video)
    except msgspec.ValidationError as error:
        raise DatasetError(
            f"A video of a list of DeepfakeBench has a label and frames. Received: {error} in {file}. "
            "Write it with preprocessing/rearrange.py."
        ) from error


def _evenly(frames: list[str]) -> list[str]:
    """At most `FRAMES` of a video's frames, evenly over it; the list is in no order."""
    ordered = sorted(map(listed, frames), key=_number)
    if len(ordered) <= FRAMES:
        return ordered
    return [ordered[place * len(ordered) // FRAMES] for place in range(FRAMES)]


def _number(path: str) -> tuple[int, str]:
    found = re.search(r"\d+$", PurePosixPath(path).stem)
    return int(found[0]) if found else 0, path


def _originals(name: str) -> str:
    """The originals of a video of FaceForensics++: the one that was changed, and the one that it was changed to.

    Example:

    >>> _originals("033_097")
    '033+097'
    """
    return name.replace("_", "+") if re.fullmatch(r"\d{3}(_\d{3})?", name) else ""
