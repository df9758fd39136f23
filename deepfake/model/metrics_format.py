"""Versions of metrics.json: what an earlier one wrote -> the same values as this one writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FORMAT = 2
"""Version of `metrics.json` that this package writes; the one before, which states none, is read as well."""


def of_this_format(values: Any) -> dict[str, Any]:
    """What `metrics.json` holds, as values of this format: they are, or they were written before there was a number.

    Args:
        values: What its JSON says.

    Returns:
        The sections by name, without the number of the format. Whether they are whole, their schema says.

    Raises:
        ValueError: If they are of another format, or hold what no version wrote.

    Example:

    >>> of_this_format({"audit": {}})
    {'fairness': {}}
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"It must hold an object. Received: {type(values).__name__}.")
    known = dict(values)
    number = known.pop("format", None)
    if number == FORMAT:
        return known
    if number is not None:
        raise ValueError(f"Its format must be {FORMAT}. Received: {number!r}.")
    for old, new in {"attack": "adversarial", "audit": "fairness"}.items():
        if old in known:
            known[new] = known.pop(old)
    if isinstance(rounds := known.get("rounds"), Mapping):
        known["rounds"] = rounds.get("rounds")
    if isinstance(robustness := known.get("robustness"), Mapping):
        known["robustness"] = _with_clean_apart(robustness)
    if isinstance(calibration := known.get("calibration"), Mapping):
        # What every bundle allowed before this was written down with it.
        known["calibration"] = {"false_alarms": 0.05, "misses": 0.05} | {
            {"logit_shift": "shift"}.get(key, key): value for key, value in calibration.items()
        }
    return known


def _with_clean_apart(robustness: Mapping[str, Any]) -> dict[str, Any]:
    """Clean crops once; they were the first level of every corruption."""
    try:
        first, *_ = [own["levels"][0] for own in robustness["corruptions"].values()]
        clean = {"auc": first["auc"], "auc_interval": first["auc_interval"]}
        corruptions = {name: own | {"levels": own["levels"][1:]} for name, own in robustness["corruptions"].items()}
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"Its robustness is not whole: {error!r}.") from error
    return {**robustness, "clean": clean, "corruptions": corruptions}
