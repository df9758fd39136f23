"""Rows as Arrow tables: what Parquet holds, from one machine or from a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any, get_args, get_origin

import pyarrow as pa

from deepfake.scan.row import COLUMNS, TYPES, columns_of


def _arrow_type(kind: Any) -> pa.DataType:
    """What holds values of a column's type."""
    if isinstance(kind, type) and is_dataclass(kind):
        return pa.struct([(name, _arrow_type(own)) for name, own in columns_of(kind).items()])
    if get_origin(kind) is tuple:
        return pa.list_(_arrow_type(get_args(kind)[0]))
    return pa.string() if issubclass(kind, str) else pa.int64() if kind is int else pa.float64()


SCHEMA = pa.schema([(name, _arrow_type(kind)) for name, kind in TYPES.items()])
"""Columns and types of a row."""


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The rows as a table of `SCHEMA`."""
    return pa.Table.from_pylist([{name: row[name] for name in COLUMNS} for row in rows], schema=SCHEMA)
