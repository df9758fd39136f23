"""Rows as Arrow tables: what Parquet holds, from one machine or from a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from deepfake.scan.store import COLUMNS

SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("kind", pa.string()),
        ("verdict", pa.string()),
        ("reason", pa.string()),
        ("p_fake", pa.float64()),
        (
            "faces",
            pa.list_(
                pa.struct([("box_xyxy", pa.list_(pa.float64())), ("p_fake", pa.float64()), ("track", pa.int64())])
            ),
        ),
        ("times", pa.list_(pa.float64())),
        ("failure", pa.string()),
        ("error", pa.string()),
        ("elapsed_s", pa.float64()),
        ("model", pa.string()),
    ]
)
"""Columns and types of a row."""


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The rows as a table of `SCHEMA`."""
    return pa.Table.from_pylist([{name: row[name] for name in COLUMNS} for row in rows], schema=SCHEMA)
