"""Folders of the known data sets -> rows of an index.

Each reader walks one folder and decodes nothing. `path` is relative to that folder; `split` is filled in only where
the data set has an official one; `identity` is what its file names tell about the people or the originals in it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from deepfake.errors import DatasetError
from deepfake.media import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from deepfake.training.index import SPLITS, Row

COMPRESSIONS = ("raw", "c23", "c40")
"""The versions of each FaceForensics++ video, from untouched to strongly compressed."""
FOLDER_LABELS = {
    **dict.fromkeys(("real", "original", "originals", "authentic"), "real"),
    **dict.fromkeys(("fake", "fakes", "manipulated", "generated", "synthetic"), "fake"),
}
"""Names of folders, in lower case, that label what lies in them."""
FOLDER_SPLITS = {**{name: name for name in SPLITS}, "valid": "val", "validation": "val"}
"""Names of folders, in lower case, that put what lies in them into a split."""

_CELEB_LIST = "List_of_testing_videos.txt"
_CELEB_NAMES = {
    "Celeb-real": re.compile(r"(id\d+)_\d+"),
    "YouTube-real": re.compile(r"\d+"),
    "Celeb-synthesis": re.compile(r"(id\d+)_(id\d+)_\d+"),
}
_CELEB_LAYOUT = f"Celeb-real/id0_0000.mp4, YouTube-real/00170.mp4, Celeb-synthesis/id0_id16_0000.mp4, {_CELEB_LIST}"
_FORENSICS_NAMES = {
    "original_sequences/youtube": re.compile(r"(\d{3})"),
    "original_sequences/actors": re.compile(r"(\d\d)__.+"),
    "manipulated_sequences/DeepFakeDetection": re.compile(r"(\d\d)_(\d\d)__.+"),
    **{
        f"manipulated_sequences/{method}": re.compile(r"(\d{3})_(\d{3})")
        for method in ("Deepfakes", "Face2Face", "FaceSwap", "FaceShifter", "NeuralTextures")
    },
}
_FORENSICS_LAYOUT = (
    "original_sequences/youtube/c23/videos/000.mp4, manipulated_sequences/Deepfakes/c23/videos/033_097.mp4, or frames "
    "as manipulated_sequences/Deepfakes/c23/images/033_097/0001.png"
)
_DFDC_LAYOUT = "folders that hold videos and their metadata.json, such as dfdc_train_part_0/metadata.json"
_CIFAKE_LAYOUT = "train/REAL, train/FAKE, test/REAL and test/FAKE, with files such as 0001 (2).jpg"
_FOLDER_LAYOUT = (
    "real/a.mp4, real/<clip>/0001.png, fake/a.mp4, fake/<method>/a.png, fake/<method>/<clip>/0001.png, each below "
    "train, val and test if it is divided already"
)


def celeb_df(root: Path) -> list[Row]:
    """Rows of Celeb-DF v2; the videos of its official list are the test split, the others have none.

    The list divides videos, not people: one person may be on both sides of it.

    Args:
        root: Folder with `Celeb-real`, `YouTube-real`, `Celeb-synthesis` and `List_of_testing_videos.txt`.

    Raises:
        DatasetError: If the list is absent or damaged, names a video that is absent, or contradicts a video's folder;
            if a file is not named as in the data set; or if there are no videos.

    Reference:
        Li, Yang, Sun, Qi and Lyu, "Celeb-DF: a large-scale challenging dataset for DeepFake forensics", CVPR 2020.
    """
    rows: dict[str, Row] = {}
    for file in _media_below(root, _CELEB_LAYOUT):
        path, place = str(file), str(file.parent)
        if place in _CELEB_NAMES and _is_video(file):
            people = "+".join(_name_parts(_CELEB_NAMES[place], file.stem, root / file, _CELEB_LAYOUT))
            label, method = ("fake", "celeb_synthesis") if place == "Celeb-synthesis" else ("real", "")
            rows[path] = Row(path, label, "celeb_df_v2", "", people, method, _without_suffix(path))
    for path, label in _celeb_test_list(root).items() if rows else ():
        if path not in rows or rows[path].label != label:
            arrived = f"lies in a folder of {rows[path].label} videos" if path in rows else "is absent"
            raise DatasetError(
                f"Videos must be as {root / _CELEB_LIST} lists them. Received: {path}, listed as {label}, {arrived}. "
                "Fetch the data set again."
            )
        rows[path] = replace(rows[path], split="test")
    return _checked(rows.values(), root, _CELEB_LAYOUT)


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
    files = _media_below(root, _FORENSICS_LAYOUT)
    splits = _forensics_splits(root)
    rows = []
    for file in files:
        match file.parts:
            case (sequences, method, level, "videos", _) if _is_video(file):
                name = file.stem
            case (sequences, method, level, "images" | "faces" | "frames", name, _) if not _is_video(file):
                pass
            case _:
                continue
        pattern = _FORENSICS_NAMES.get(f"{sequences}/{method}")
        if pattern is None or level not in ((compression,) if compression else COMPRESSIONS):
            continue
        people = _name_parts(pattern, name, root / file, _FORENSICS_LAYOUT)
        with_actors = method in ("actors", "DeepFakeDetection")
        identity = "+".join(f"actor{person}" if with_actors else person for person in people)
        split = _forensics_split(splits, people, root / file) if splits and not with_actors else ""
        label, how = ("fake", method) if sequences == "manipulated_sequences" else ("real", "")
        rows.append(Row(str(file), label, "faceforensics", split, identity, how, f"{method}/{level}/{name}"))
    return _checked(rows, root, _FORENSICS_LAYOUT, shared_clips=True)


def dfdc(root: Path) -> list[Row]:
    """Rows of the DeepFake Detection Challenge's training parts, without a split: its own says `train` of all.

    Videos that `metadata.json` names and that are absent are left out, for the parts are often incomplete.

    Args:
        root: Folder with a `metadata.json` beside the videos, in itself or at most two folders down.

    Raises:
        DatasetError: If a `metadata.json` is damaged, a label is neither REAL nor FAKE, a fake names no original, a
            video occurs twice, or there are no videos.

    Reference:
        Dolhansky et al., "The DeepFake Detection Challenge (DFDC) dataset", arXiv:2006.07397, 2020.
    """
    present = {file for file in _media_below(root, _DFDC_LAYOUT) if _is_video(file)}
    rows = []
    for depth in ("", "*/", "*/*/"):
        for listing in root.glob(f"{depth}metadata.json"):
            place = PurePosixPath(listing.parent.relative_to(root).as_posix())
            entries = _read_json(listing)
            if not isinstance(entries, dict):
                raise DatasetError(f"{listing} must map videos to their labels. Received: {type(entries).__name__}.")
            for name, entry in entries.items():
                label = entry.get("label") if isinstance(entry, dict) else None
                original = entry.get("original") if label == "FAKE" else name
                if label not in ("REAL", "FAKE") or not isinstance(original, str) or not original:
                    raise DatasetError(
                        f"{listing}: each video needs the label REAL, or FAKE and its original. "
                        f"Received: {name}: {json.dumps(entry)}. Fetch the file again."
                    )
                if place / name in present:
                    method = "dfdc" if label == "FAKE" else ""
                    identity, clip = _without_suffix(original), _without_suffix(name)
                    rows.append(Row(str(place / name), label.lower(), "dfdc", "", identity, method, clip))
    return _checked(rows, root, _DFDC_LAYOUT)


def cifake(root: Path) -> list[Row]:
    """Rows of CIFAKE; its test folder is the test split, the rest has none.

    These are 32x32 pictures of things, not of faces: `extract` must take them whole (`--cropped cifake`).

    Args:
        root: Folder with `train` and `test`, each with `REAL` and `FAKE`.

    Raises:
        DatasetError: If there are no pictures, or two differ in their suffix alone.

    Reference:
        Bird and Lotfi, "CIFAKE: image classification and explainable identification of AI-generated synthetic
        images", IEEE Access 12, 2024.
    """
    rows = []
    for file in _media_below(root, _CIFAKE_LAYOUT):
        match file.parts:
            case ("train" | "test" as split, "REAL" | "FAKE" as label, _) if not _is_video(file):
                official = "test" if split == "test" else ""
                method = "stable_diffusion_1.4" if label == "FAKE" else ""
                clip = _without_suffix(str(file))
                rows.append(Row(str(file), label.lower(), "cifake", official, method=method, clip=clip))
    return _checked(rows, root, _CIFAKE_LAYOUT)


def folder(root: Path, source: str = "") -> list[Row]:
    """Rows of any tree in which folders named `real` and `fake` label what lies in them.

    The names may be in any case, or one of the other keys of `FOLDER_LABELS`; the nearest to a file counts, and a file
    below none is left out. Folders named as in `FOLDER_SPLITS`, above or right below, set the split.

        fake/a.mp4, fake/a.png               a clip of its own
        fake/<method>/a.png                  the same, and how it was faked
        fake/<method>/<clip>/0001.png        a frame of a clip
        real/<clip>/0001.png                 a frame of a clip

    The identity is the clip's bare name, so that `real/a.mp4` and `fake/a.mp4` stay on one side of a split; in a tree
    that is divided already there is none.

    Args:
        root: The tree.
        source: Name of the data set; the folder's own if empty.

    Raises:
        DatasetError: If nothing in it is labelled, or a folder of pictures is a clip by its place below `real` and a
            method by its place below `fake`.
    """
    rows = []
    clips_of_pictures: set[str] = set()
    methods_of_pictures: set[str] = set()
    for file in _media_below(root, _FOLDER_LAYOUT):
        names = [part.lower() for part in file.parts[:-1]]
        place = max((number for number, name in enumerate(names) if name in FOLDER_LABELS), default=None)
        if place is None:
            continue
        label = FOLDER_LABELS[names[place]]
        split = next((FOLDER_SPLITS[name] for name in reversed(names) if name in FOLDER_SPLITS), "")
        below = [part for part in file.parts[place + 1 : -1] if part.lower() not in FOLDER_SPLITS]
        method = below.pop(0) if label == "fake" and below else ""
        is_video = _is_video(file)
        is_frame = bool(below) and not is_video
        if is_frame and label == "real":
            clips_of_pictures.add(below[-1])
        elif method and not below and not is_video:
            methods_of_pictures.add(method)
        identity, clip = (below[-1], str(file.parent)) if is_frame else (file.stem, _without_suffix(str(file)))
        # Who divided the tree already decided what belongs together; names that return there say nothing.
        identity = "" if split else identity
        rows.append(Row(str(file), label, source or root.resolve().name, split, identity, method, clip))
    if both := sorted(clips_of_pictures & methods_of_pictures):
        raise DatasetError(
            "Below a real folder, a folder of pictures is a clip; below a fake one it is a method. Received: "
            f"{both[0]}, below both in {root}. Put the frames of fake clips into fake/<method>/{both[0]}."
        )
    return _checked(rows, root, _FOLDER_LAYOUT, shared_clips=True)


READERS: dict[str, Callable[[Path], list[Row]]] = {
    "celeb-df-v2": celeb_df,
    "faceforensics": face_forensics,
    "dfdc": dfdc,
    "cifake": cifake,
    "folder": folder,
}
"""Readers by their names on the command line."""


def _media_below(root: Path, layout: str) -> list[PurePosixPath]:
    """Paths of the pictures and videos below a folder, relative to it and sorted; nothing hidden."""
    if not root.is_dir():
        raise DatasetError(f"A data set is read from its folder. Received: {root}, which is none. Expected: {layout}.")

    def refuse(error: OSError) -> None:
        raise DatasetError(f"Every folder of a data set must be readable. Received: {error}.") from error

    found = []
    # Parts of large sets are often links to another disk.
    for place, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        parent = PurePosixPath(Path(place).relative_to(root).as_posix())
        found += [parent / name for name in files if not name.startswith(".")]
    return sorted((file for file in found if file.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES), key=str)


def _is_video(file: PurePosixPath) -> bool:
    return file.suffix.lower() in VIDEO_SUFFIXES


def _without_suffix(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _checked(rows: Iterable[Row], root: Path, layout: str, shared_clips: bool = False) -> list[Row]:
    """The rows sorted by path; refuses none at all, and a clip that occurs twice unless clips are shared by frames."""
    rows = sorted(rows, key=lambda row: row.path)
    if not rows:
        raise DatasetError(f"A data set needs files of its layout. Found none in {root}. Expected: {layout}.")
    seen: dict[str, str] = {}
    for row in rows:
        if seen.setdefault(row.clip, row.path) != row.path and not shared_clips:
            raise DatasetError(
                f"Each clip must occur once in {root}. Received: {seen[row.clip]} and {row.path}. Remove one of them."
            )
    return rows


def _name_parts(pattern: re.Pattern[str], name: str, path: Path, layout: str) -> tuple[str, ...]:
    """The people in a clip's name."""
    matched = pattern.fullmatch(name)
    if matched is None:
        raise DatasetError(f"Files must keep the names of the data set. Received: {path}. Expected: {layout}.")
    return matched.groups()


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as JSON: {error}. Fetch the file again.") from error


def _celeb_test_list(root: Path) -> dict[str, str]:
    """Labels of the official test videos by path; in the list itself, 1 is real and 0 is fake."""
    path = root / _CELEB_LIST
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"Celeb-DF v2 needs its list of test videos. Received: {error}. "
            f"Put {_CELEB_LIST}, which comes with the data set, into {root}."
        ) from error
    listed = {}
    for number, line in enumerate(lines, start=1):
        match line.split():
            case ["0" | "1" as digit, video]:
                listed[video] = "real" if digit == "1" else "fake"
            case [_, *_]:
                raise DatasetError(f"{path}, line {number}: must be 0 or 1 and a video's path. Received: {line!r}.")
    return listed


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
            pairs = _read_json(place / f"{split}.json")
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
