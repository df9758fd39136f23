"""Any folder of real and fake."""

from __future__ import annotations

from pathlib import Path

from deepfake.data.datasets.walk import checked, is_video, media_below, without_suffix
from deepfake.data.index import SPLITS, Row
from deepfake.errors import DatasetError

FOLDER_LABELS = {
    **dict.fromkeys(("real", "original", "originals", "authentic"), "real"),
    **dict.fromkeys(("fake", "fakes", "manipulated", "generated", "synthetic"), "fake"),
}
"""Names of folders, in lower case, that label what lies in them."""
FOLDER_SPLITS = {**{name: name for name in SPLITS}, "valid": "val", "validation": "val"}
"""Names of folders, in lower case, that put what lies in them into a split."""
_LAYOUT = (
    "real/a.mp4, real/<clip>/0001.png, fake/a.mp4, fake/<method>/a.png, fake/<method>/<clip>/0001.png, each below "
    "train, val and test if it is divided already"
)


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
    for file in media_below(root, _LAYOUT):
        names = [part.lower() for part in file.parts[:-1]]
        place = max((number for number, name in enumerate(names) if name in FOLDER_LABELS), default=None)
        if place is None:
            continue
        label = FOLDER_LABELS[names[place]]
        split = next((FOLDER_SPLITS[name] for name in reversed(names) if name in FOLDER_SPLITS), "")
        below = [part for part in file.parts[place + 1 : -1] if part.lower() not in FOLDER_SPLITS]
        method = below.pop(0) if label == "fake" and below else ""
        video = is_video(root / file)
        is_frame = bool(below) and not video
        if is_frame and label == "real":
            clips_of_pictures.add(below[-1])
        elif method and not below and not video:
            methods_of_pictures.add(method)
        identity, clip = (below[-1], str(file.parent)) if is_frame else (file.stem, without_suffix(str(file)))
        # Who divided the tree already decided what belongs together; names that return there say nothing.
        identity = "" if split else identity
        rows.append(Row(str(file), label, source or root.resolve().name, split, identity, method, clip))
    if both := sorted(clips_of_pictures & methods_of_pictures):
        raise DatasetError(
            "Below a real folder, a folder of pictures is a clip; below a fake one it is a method. Received: "
            f"{both[0]}, below both in {root}. Put the frames of fake clips into fake/<method>/{both[0]}."
        )
    return checked(rows, root, _LAYOUT, shared_clips=True)
