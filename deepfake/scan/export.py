"""The store -> CSV, Parquet, HTML, a summary, a contact sheet of the worst. Files appear whole or not at all."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, StrictUndefined

from deepfake.errors import DatasetError, MediaError
from deepfake.media.isolated import open_isolated
from deepfake.records import Image, Sampling
from deepfake.report.drawing import jpeg
from deepfake.report.words import shown_name
from deepfake.scan.row import COLUMNS
from deepfake.scan.store import Store
from deepfake.system.files import replacing, write_bytes
from deepfake.system.text import not_a_formula

SHOWN = 500
"""Most suspicious files that the page lists."""
TILE = 192
"""Side of a face on the contact sheet in pixels."""
_BY_P_FAKE = "WHERE p_fake IS NOT NULL ORDER BY p_fake DESC, path LIMIT ?"
_PARQUET_ROWS = 10_000
_PAGE = Path(__file__).with_name("page.html.jinja")


def to_csv(store: Store, path: Path) -> Path:
    """Writes every row as CSV; several values are JSON; what a spreadsheet would run as a formula is quoted."""
    with replacing(path) as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in store.rows():
            writer.writerow([_cell(row[name]) for name in COLUMNS])
    return path


def to_parquet(store: Store, path: Path) -> Path:
    """Writes every row as Parquet, a row group of 10,000 at a time.

    Raises:
        DatasetError: If pyarrow is not installed.
    """
    try:
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise DatasetError("Parquet needs pyarrow: pip install 'deepfake[parquet]'") from error
    from deepfake.scan.table import SCHEMA, table_of

    rows = store.rows()
    with replacing(path) as scratch, pyarrow.parquet.ParquetWriter(scratch, SCHEMA) as writer:
        while batch := list(islice(rows, _PARQUET_ROWS)):
            writer.write_table(table_of(batch))
    return path


def to_html(store: Store, path: Path) -> Path:
    """Writes a page of its own: the summary, and the 500 most suspicious files."""
    # Autoescape makes text of whatever a name holds; a key that is missing is an error, not a blank.
    shown = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    page = shown.from_string(_PAGE.read_text(encoding="utf-8")).render(
        summary=summary_of(store),
        rows=list(store.rows(_BY_P_FAKE, (SHOWN,))),
        total=sum(store.count("verdict").values()),
    )
    return write_bytes(path, page.encode(errors="backslashreplace"))


def summary_of(store: Store) -> str:
    """What the store holds, as text: which model, and the counts."""
    identity = store.about()["identity"]
    verdicts = store.count("verdict")
    total = sum(verdicts.values())
    contents = store.contents()
    lines = [
        f"model      {identity['model']['name']} ({identity['model']['sha256'][:16]})",
        f"settings   {json.dumps({name: value for name, value in identity.items() if name != 'model'})}",
        f"files      {total}, of which {total - contents} repeat another",
    ]
    for title, column in (("answers", "verdict"), ("reasons", "reason"), ("kinds", "kind"), ("errors", "failure")):
        counts = {name: count for name, count in store.count(column).items() if name is not None}
        said = [f"{name} {count} ({count / total:.1%})" for name, count in counts.items()]
        lines.append(f"{title:<10} {', '.join(said) or 'none'}")
    return "\n".join(lines)


def draw_worst(store: Store, number: int, path: Path) -> list[dict[str, Any]]:
    """Draws the most suspicious face of each of the most suspicious files, and returns the files' rows.

    A file that is gone or has changed is drawn as an empty tile.

    Args:
        store: The store.
        number: How many files.
        path: The JPEG to write.

    Raises:
        DatasetError: If no file of the store has a p_fake.
    """
    rows = list(store.rows(_BY_P_FAKE, (number,)))
    if not rows:
        raise DatasetError(f"No face was scored in the files of {store.path}, so there is none to draw.")
    tiles = [_tile(row) for row in rows]
    columns = min(6, len(tiles))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    lines = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    write_bytes(path, jpeg(np.vstack(lines), 90))
    return rows


def _tile(row: dict[str, Any]) -> Image:
    """The most suspicious face of a row's file, with its p_fake and the file's name below."""
    tile = np.full((TILE + 40, TILE + 8, 3), 255, np.uint8)
    face, time_s = max(zip(row["faces"], row["times"], strict=True), key=lambda pair: pair[0]["p_fake"])
    sampling = Sampling(1, start_s=max(0.0, time_s - 1e-3), end_s=time_s + 1e-3)
    try:
        with closing(open_isolated(row["path"], sampling if row["kind"] == "video" else None)) as media:
            frame = next(frame for frame in media if row["kind"] == "video" or frame.index == face["frame"])
        tile[4 : TILE + 4, 4 : TILE + 4] = _around(frame.image, face["box_xyxy"])
    except (MediaError, StopIteration):
        cv2.rectangle(tile, (4, 4), (TILE + 3, TILE + 3), (200, 200, 200), 1)
    name = shown_name(Path(row["path"]).name, 24).encode("ascii", "replace").decode()
    for text, height in ((f"{row['p_fake']:.3f} {row['verdict']}", TILE + 18), (name, TILE + 34)):
        cv2.putText(tile, text, (6, height), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


def _around(image: Image, box_xyxy: list[float]) -> Image:
    """The square around a box, half as large again, from the picture mirrored beyond its edges."""
    left, top, right, bottom = box_xyxy
    side = 1.5 * max(right - left, bottom - top)
    scale = TILE / side
    corner = ((left + right - side) / 2, (top + bottom - side) / 2)
    matrix = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]], np.float32)
    return np.asarray(cv2.warpAffine(image, matrix, (TILE, TILE), borderMode=cv2.BORDER_REFLECT_101))


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value)
    return not_a_formula(value) if isinstance(value, str) else value
