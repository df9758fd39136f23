"""What the page says about itself: what deepfakes are, how this works, how good it is, what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

from deepfake.model.bundle import METRICS
from deepfake.page.answers import EQUALITY
from deepfake.report.catalogue import Catalogue
from deepfake.report.metrics_tables import quality_tables
from deepfake.report.words import ENGLISH, LIMITS


def about(model: Path, say: Catalogue = ENGLISH) -> str:
    """The explanation as Markdown, with the measures of this bundle.

    Args:
        model: Folder of a bundle; without a `metrics.json` it is said that nothing was measured.
        say: The language.
    """
    limits = "\n".join(f"- {say(limit)}" for limit in LIMITS)
    equality = f'<h3 id="{EQUALITY}">{say("heat.equality")}</h3>\n\n{say("about.equality")}'
    return "\n\n".join(
        [
            *_section("what", say),
            *_section("how", say, legend=say("heat.legend")),
            say("about.score"),
            equality,
            f"### {say('about.good_title')}",
            _measures(model, say),
            f"### {say('about.limits_title')}",
            limits,
            *_section("files", say),
        ]
    )


def _section(name: str, say: Catalogue, **values: object) -> tuple[str, str]:
    return f"### {say(f'about.{name}_title')}", say(f"about.{name}", **values)


def _measures(model: Path, say: Catalogue) -> str:
    try:
        tables = quality_tables(json.loads((model / METRICS).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return say("errs.not_measured")
    return f"{say('about.measured')}\n\n{tables}"
