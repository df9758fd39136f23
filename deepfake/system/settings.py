"""Settings that are checked when they are made: types, ranges, closed sets and keys, each stated once, in the type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1, le=10**9)]
"""A whole number from 1."""
Whole = Annotated[int, Meta(ge=0, le=10**9)]
"""A whole number from 0."""
Share = Annotated[float, Meta(ge=0, le=1)]
"""A probability or a part of a whole, in [0, 1]."""
Positive = Annotated[float, Meta(gt=0, le=1e9)]
"""A finite number above 0."""
NotNegative = Annotated[float, Meta(ge=0, le=1e9)]
"""A finite number from 0."""
Finite = Annotated[float, Meta(ge=-1e9, le=1e9)]
"""Any finite number."""

Kind = TypeVar("Kind")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record whose fields are checked against their types, however it is made.

    A subclass that checks more than its types say calls `super().__post_init__()` first.

    Raises:
        ValueError: If a field is not of its type, or out of its range.

    Example:

    >>> class Pace(Settings, frozen=True):
    ...     workers: Whole = 2
    >>> Pace(workers=-1)
    Traceback (most recent call last):
    ...
    ValueError: `workers`: expected `int` >= 0. Received: -1.
    """

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self), include_extras=True).items():
            value = getattr(self, name)
            try:
                # What was written as a list or as a whole number becomes what the type says.
                msgspec.structs.force_setattr(self, name, msgspec.convert(value, kind))
            except msgspec.ValidationError as error:
                raise ValueError(explained(error, value, kind, name)) from error


def read_settings(values: Mapping[str, Any], kind: type[Kind]) -> Kind:
    """Settings from plain values, as TOML and JSON give them.

    Args:
        values: Tables of tables.
        kind: What they shall be.

    Raises:
        ValueError: If a key is unknown or missing, or a value is none that its key may have; the message says which.

    Example:

    >>> class Pace(Settings, frozen=True):
    ...     workers: Whole = 2
    >>> read_settings({"workers": 3}, Pace)
    Pace(workers=3)
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise ValueError(explained(error, values, kind)) from error


def explained(error: msgspec.ValidationError, values: Any, kind: Any, name: str = "") -> str:
    """What msgspec found wrong, where, what was received there, and what is allowed if that is a closed set.

    Args:
        error: What it raised.
        values: What it was given.
        kind: What that should have been.
        name: Name of `values`; empty if it is a whole table.
    """
    message, _, place = str(error).partition(" - at `$")
    keys = [key or int(number) for key, number in re.findall(r"\.([^.\[\]`]+)|\[(\d+)\]", place)]
    where = ".".join(str(key) for key in ([name] if name else []) + keys)
    field = re.fullmatch(r"Object (contains unknown|missing required) field `(.*)`", message)
    if field:
        whole = f"{where}.{field[2]}".lstrip(".")
        return f"Unknown key {whole}." if field[1] == "contains unknown" else f"The key {whole} is missing."
    info = msgspec.inspect.type_info(kind)
    for key in keys:
        info = _inside(info, key)
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            break
    if isinstance(info, msgspec.inspect.LiteralType):
        message = f"must be one of {', '.join(map(str, info.values))}"
    message = message.split(", got")[0].replace("Expected", "expected")
    return f"`{where}`: {message}. Received: {values!r}." if where else f"{message.rstrip('.')}."


def _inside(info: Any, key: str | int) -> Any:
    """The type of what lies at `key` in a value of a type."""
    if isinstance(info, msgspec.inspect.StructType):
        return next((field.type for field in info.fields if field.name == key), None)
    return getattr(info, "item_type", None) or getattr(info, "value_type", None)
