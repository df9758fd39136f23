"""What the page says about itself: what deepfakes are, how this works, how good it is, what it cannot do."""

from __future__ import annotations

from pathlib import Path

from deepfake.model.metrics import read_metrics
from deepfake.page.answers import EQUALITY
from deepfake.report.catalogue import Catalogue
from deepfake.report.metrics_tables import quality_tables
from deepfake.report.words import ENGLISH, LIMITS


def about(model: Path, say: Catalogue = ENGLISH) -> str:
    """The explanation as Markdown, with the measures of this bundle.

    Args:
        model: Folder of a bundle; without a `metrics.json` it is said that nothing was measured.
        say: The language.

    Raises:
        BundleError: If its measures cannot be read.
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
    metrics = read_metrics(model)
    if not (metrics.test or metrics.val or metrics.clips):
        return say("errs.not_measured")
    return f"{say('about.measured')}\n\n{quality_tables(metrics)}"
