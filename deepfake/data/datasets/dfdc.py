"""The DeepFake Detection Challenge."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from deepfake.data.datasets.walk import checked, is_video, media_below, read_json, without_suffix
from deepfake.data.index import Row
from deepfake.errors import DatasetError

_LAYOUT = "folders that hold videos and their metadata.json, such as dfdc_train_part_0/metadata.json"


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
    present = {file for file in media_below(root, _LAYOUT) if is_video(root / file)}
    rows = []
    for depth in ("", "*/", "*/*/"):
        for listing in root.glob(f"{depth}metadata.json"):
            place = PurePosixPath(listing.parent.relative_to(root).as_posix())
            entries = read_json(listing)
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
                    identity, clip = without_suffix(original), without_suffix(name)
                    rows.append(Row(str(place / name), label.lower(), "dfdc", "", identity, method, clip))
    return checked(rows, root, _LAYOUT)
