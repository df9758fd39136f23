"""What the page says about itself: what deepfakes are, how this works, how good it is, what it cannot do."""

from __future__ import annotations

from pathlib import Path

from deepfake.model.metrics import read_metrics
from deepfake.report.metrics_tables import quality_tables
from deepfake.report.words import HEAT_LEGEND, LIMITS, NOT_MEASURED

TEXT = """
### What is a deepfake?

A face in a picture or a video that a program has swapped, moved or invented. Some programs exchange one person's face
for another's, some put other expressions on a face, some draw faces of people who do not exist.

### How does this work?

It finds every face (MTCNN), and small networks look at each in two ways: at the face itself, and at the noise that is
left when the picture is predicted from its neighbourhood (SRM and Bayar filters): cameras and encoders leave patterns
there, and editing disturbs them. A gate weighs both. The last layer adds up evidence place by place: the heat map is
that sum, so it shows where the answer comes from: {legend}.

**p_fake** is the probability that a face is fake, assuming that fakes are as common as reals. A video's p_fake is that
of its most suspicious person, averaged over time.

### How good is it?

{measures}

### What can it not do?

{limits}

### What happens to my file?

It is looked at on the machine that runs this page, and deleted within an hour. Nothing is sent anywhere else, kept for
training, or shown to other visitors.
"""


def about(model: Path) -> str:
    """The explanation as Markdown, with the measures of this bundle.

    Args:
        model: Folder of a bundle; without a `metrics.json` it is said that nothing was measured.

    Raises:
        BundleError: If its measures cannot be read.
    """
    limits = "\n".join(f"- {limit}" for limit in LIMITS)
    return TEXT.format(legend=HEAT_LEGEND, measures=_measures(model), limits=limits)


def _measures(model: Path) -> str:
    metrics = read_metrics(model)
    if not (metrics.test or metrics.val or metrics.clips):
        return NOT_MEASURED
    tables = quality_tables(metrics)
    return f"Measured with the model that answers here, on files that it was not trained on:\n\n{tables}"
