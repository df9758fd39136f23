"""ForensicHub."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from deepfake.data.datasets.folder import FOLDER_SPLITS
from deepfake.data.datasets.lists import listed
from deepfake.data.datasets.walk import read_json
from deepfake.data.index import LABELS, Row
from deepfake.errors import DatasetError


class _Sample(msgspec.Struct, frozen=True):
    """One picture of a list; its mask is not read."""

    path: str
    label: Literal[0, 1]


def forensichub(file: Path) -> list[Row]:
    """Rows of a list that ForensicHub reads (`AIGCLabelDataset`): `[{"path": "a.png", "label": 0}, ...]`, 1 for fake.

    What is called `train.json`, `val.json` or `test.json` is that split of a data set named after its folder; any other
    list is named after itself, and has no split. Its deepfake benchmarks are lists of DeepfakeBench: `deepfakebench`
    reads them.

    Args:
        file: The list.

    Returns:
        Rows with paths as the list names them, by path.

    Raises:
        DatasetError: If it cannot be read, is built otherwise, or gives a picture both labels.

    Reference:
        Du et al., "ForensicHub: a unified benchmark and codebase for all-domain fake image detection and
        localization", NeurIPS 2025.
    """
    try:
        samples = msgspec.convert(read_json(file), list[_Sample])
    except msgspec.ValidationError as error:
        raise DatasetError(
            f'A list of ForensicHub is built as [{{"path": "a.png", "label": 0}}], with 1 for fake. Received: {error} '
            f"in {file}. Write it anew, or read a list of DeepfakeBench with `index deepfakebench`."
        ) from error
    split = FOLDER_SPLITS.get(file.stem.lower(), "")
    source = file.resolve().parent.name if split else file.stem
    rows: dict[str, Row] = {}
    for sample in samples:
        path, label = listed(sample.path), LABELS[sample.label]
        row = Row(path, label, source, split, clip=str(PurePosixPath(path).with_suffix("")))
        if rows.setdefault(path, row).label != label:
            raise DatasetError(f"A picture is real or fake. Received: {path} as both in {file}. Correct the list.")
    return [rows[path] for path in sorted(rows)]
