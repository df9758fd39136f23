"""FaceForensics++."""

from __future__ import annotations

import json
import re
from pathlib import Path

from deepfake.data.datasets.walk import checked, is_video, media_below, name_parts, read_json
from deepfake.data.index import SPLITS, Row
from deepfake.errors import DatasetError

COMPRESSIONS = ("raw", "c23", "c40")
"""The versions of each FaceForensics++ video, from untouched to strongly compressed."""
_NAMES = {
    "original_sequences/youtube": re.compile(r"(\d{3})"),
    "original_sequences/actors": re.compile(r"(\d\d)__.+"),
    "manipulated_sequences/DeepFakeDetection": re.compile(r"(\d\d)_(\d\d)__.+"),
    **{
        f"manipulated_sequences/{method}": re.compile(r"(\d{3})_(\d{3})")
        for method in ("Deepfakes", "Face2Face", "FaceSwap", "FaceShifter", "NeuralTextures")
    },
}
_LAYOUT = (
    "original_sequences/youtube/c23/videos/000.mp4, manipulated_sequences/Deepfakes/c23/videos/033_097.mp4, or frames "
    "as manipulated_sequences/Deepfakes/c23/images/033_097/0001.png"
)


def face_forensics(root: Path, compression: str = "") -> list[Row]:
    """Rows of FaceForensics++, videos or frames, with the official split where its three lists lie in the folder.

    `train.json`, `val.json` and `test.json` are looked for in `splits`, then in the folder itself. They cover the
    YouTube originals and what was made from them; the videos with actors have no official split.

    Args:
        root: Folder with `original_sequences` and `manipulated_sequences`.
        compression: `raw`, `c23` or `c40` alone; all of them if empty.

    Raises:
        ValueError: If `compression` is none of these.
        DatasetError: If only some of the lists are there, or they are damaged or put no single split to a video; if
            a file is not named as in the data set; or if there are no videos.

    Reference:
        Rössler, Cozzolino, Verdoliva, Riess, Thies and Nießner, "FaceForensics++: learning to detect manipulated
        facial images", ICCV 2019.
    """
    if compression not in ("", *COMPRESSIONS):
        raise ValueError(f"`compression` must be empty or one of {', '.join(COMPRESSIONS)}. Received: {compression!r}")
    files = media_below(root, _LAYOUT)
    splits = _forensics_splits(root)
    rows = []
    for file in files:
        match file.parts:
            case (sequences, method, level, "videos", _) if is_video(root / file):
                name = file.stem
            case (sequences, method, level, "images" | "faces" | "frames", name, _) if not is_video(root / file):
                pass
            case _:
                continue
        pattern = _NAMES.get(f"{sequences}/{method}")
        if pattern is None or level not in ((compression,) if compression else COMPRESSIONS):
            continue
        people = name_parts(pattern, name, root / file, _LAYOUT)
        with_actors = method in ("actors", "DeepFakeDetection")
        identity = "+".join(f"actor{person}" if with_actors else person for person in people)
        split = _forensics_split(splits, people, root / file) if splits and not with_actors else ""
        label, how = ("fake", method) if sequences == "manipulated_sequences" else ("real", "")
        rows.append(Row(str(file), label, "faceforensics", split, identity, how, f"{method}/{level}/{name}"))
    return checked(rows, root, _LAYOUT, shared_clips=True)


def _forensics_splits(root: Path) -> dict[str, str]:
    """The official split of each YouTube original; empty without the three lists."""
    for place in (root / "splits", root):
        absent = [split for split in SPLITS if not (place / f"{split}.json").is_file()]
        if len(absent) == len(SPLITS):
            continue
        if absent:
            raise DatasetError(
                f"The official split needs train.json, val.json and test.json in {place}. Missing: "
                f"{', '.join(f'{split}.json' for split in absent)}. Add them, or remove the others to do without."
            )
        splits: dict[str, str] = {}
        for split in SPLITS:
            pairs = read_json(place / f"{split}.json")
            for pair in pairs if isinstance(pairs, list) else [pairs]:
                match pair:
                    case [str(first), str(second)] if all(splits.get(one, split) == split for one in (first, second)):
                        splits |= {first: split, second: split}
                    case _:
                        raise DatasetError(
                            f'{place / f"{split}.json"} must be a list of pairs such as ["071", "054"], each of one '
                            f"split alone. Received: {json.dumps(pair)[:80]}. Fetch the file again."
                        )
        return splits
    return {}


def _forensics_split(splits: dict[str, str], people: tuple[str, ...], path: Path) -> str:
    found = {splits.get(person, "none") for person in people}
    if len(found) > 1 or "none" in found:
        raise DatasetError(
            f"The official lists must put all originals of a video into one split. Received: {path}, in "
            f"{', '.join(sorted(found))}. Fetch the lists again, or remove all three to do without."
        )
    return found.pop()
