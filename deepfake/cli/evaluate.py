"""Commands that say how good a model is, and write it into its bundle.

Each imports what it needs when it runs: the command line starts without TensorFlow.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from deepfake.cli.options import FAKES, FILE, FOLDER, NEW_FOLDER, as_json
from deepfake.cli.terminal import progress_bar, tell
from deepfake.system.memory import keep_large_blocks

if TYPE_CHECKING:
    from deepfake.data.config import Fakes

BUNDLE = click.option("--model", type=NEW_FOLDER, required=True, help="Folder of a bundle.")
INDEX = click.option("--index", type=FILE, multiple=True, required=True, help="An index of faces.")
SOURCE = click.option("--source", multiple=True, help="Take this source alone; may be given several times.")
SPLIT = click.option(
    "--split", "split_name", type=click.Choice(["val", "test"]), default="test", show_default=True, help="Which faces."
)


@click.command()
@BUNDLE
@click.option("--index", type=FILE, multiple=True, help="An index of faces; may be given several times.")
@SPLIT
@FAKES
@click.option("--clips", type=FILE, help="A CSV table of labelled videos or pictures, for the whole pipeline.")
@click.option("--report", type=NEW_FOLDER, help="Folder for the scores, plots, and the worst mistakes.")
@click.option("--print-only", is_flag=True, help="Print the numbers, and leave the bundle as it is.")
def evaluate(
    model: Path,
    index: tuple[Path, ...],
    split_name: str,
    fakes: Fakes | None,
    clips: Path | None,
    report: Path | None,
    print_only: bool,
) -> None:
    """Measure a bundle and keep the numbers in its metrics.json.

    Data sets with several frames a video are measured as DeepfakeBench does, too.

    \b
    Examples:
      python -m deepfake evaluate --model models/light-5 --index faces/index.csv --report out
      python -m deepfake evaluate --model models/light-5 --index bench/index.csv --print-only
    """
    if not index and clips is None:
        raise click.UsageError("Give --index, --clips or both.")
    from deepfake.evaluation import evaluate as measure
    from deepfake.evaluation import show
    from deepfake.evaluation.frame_mean import with_frame_means
    from deepfake.evaluation.presentation_attack import with_presentation_attack
    from deepfake.model.bundle import MISTAKES_PLOT, QUALITY_PLOT
    from deepfake.model.metrics import Metrics, read_metrics, write_metrics
    from deepfake.report.metrics_tables import quality_tables

    found = {}
    if index:
        with progress_bar("faces") as follow:
            measured = measure.evaluate_crops(model, index, split_name, fakes=fakes or "given", progress=follow)
            found[split_name] = with_frame_means(measured)
        if split_name == "test" and not print_only:
            show.write_quality(found[split_name], model, model / QUALITY_PLOT)
            show.write_mistake_maps(found[split_name], model, index, model / MISTAKES_PLOT)
        if report:
            show.write_mistakes(found[split_name], model, index, report / split_name / "mistakes.png")
    if clips is not None:
        with progress_bar("clips") as follow:
            found["clips"] = measure.evaluate_clips(model, clips, progress=follow)
    measures = {section: with_presentation_attack(evaluation.measures) for section, evaluation in found.items()}
    kept = replace(Metrics(), **measures)
    if not print_only:
        kept = write_metrics(model, replace(read_metrics(model), **measures))
    for section, evaluation in found.items():
        if report:
            show.write_scores(evaluation, report / section / "scores.csv")
            show.write_quality(evaluation, model, report / section / "quality.png")
    if report:
        click.echo(f"wrote {report}", err=True)
    if index and found[split_name].measures.trained_on is None:
        tell(f"What {model.name} was trained on is not known here: nobody can say whether it has seen these faces.")
    click.echo(quality_tables(replace(Metrics(), **{section: getattr(kept, section) for section in measures})))


@click.command()
@BUNDLE
@INDEX
@SPLIT
@SOURCE
def robustness(model: Path, index: tuple[Path, ...], split_name: str, source: tuple[str, ...]) -> None:
    """Measure a bundle under corruption: compression, scaling, blur, noise, colour and a moved crop.

    Keeps the numbers in metrics.json and their picture in plots/robustness.png.

    \b
    Example:
      python -m deepfake robustness --model models/light-5 --index faces/index.csv --source dfdc
    """
    from deepfake.evaluation.plots import robustness_figure
    from deepfake.evaluation.robustness import measure_robustness
    from deepfake.model.bundle import ROBUSTNESS_PLOT
    from deepfake.model.metrics import read_metrics, write_metrics
    from deepfake.system.files import write_bytes

    with progress_bar("faces") as follow:
        found = measure_robustness(model, index, split=split_name, sources=source, progress=follow)
    write_metrics(model, replace(read_metrics(model), robustness=found))
    write_bytes(model / ROBUSTNESS_PLOT, robustness_figure(found))
    click.echo(as_json(found))


@click.command()
@BUNDLE
@INDEX
@SPLIT
@SOURCE
@click.option("--crops", type=click.IntRange(min=2), default=200, show_default=True, help="Most faces of a source.")
@click.option(
    "--eps",
    type=click.FloatRange(min=0, min_open=True),
    multiple=True,
    default=(2, 4),
    show_default=True,
    help="How far a pixel may move, of 255; may be given several times.",
)
@click.option("--steps", type=click.IntRange(min=1), default=10, show_default=True, help="Steps of PGD.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed draws other faces."
)
def adversarial(
    model: Path,
    index: tuple[Path, ...],
    split_name: str,
    source: tuple[str, ...],
    crops: int,
    eps: tuple[float, ...],
    steps: int,
    seed: int,
) -> None:
    """Measure a bundle against somebody who knows it: FGSM and PGD, with random noise as the control.

    Takes as many reals as fakes of each source, and keeps the numbers in metrics.json. Needs TensorFlow.

    \b
    Example:
      python -m deepfake adversarial --model models/light-5 --index faces/index.csv --crops 200
    """
    from deepfake.evaluation.adversarial import measure_adversarial
    from deepfake.evaluation.card_sections import adversarial_table
    from deepfake.model.metrics import read_metrics, write_metrics

    with progress_bar("faces") as follow:
        found = measure_adversarial(
            model,
            index,
            split=split_name,
            sources=source,
            crops=crops,
            sizes=eps,
            steps=steps,
            seed=seed,
            progress=follow,
        )
    click.echo(adversarial_table(write_metrics(model, replace(read_metrics(model), adversarial=found)).adversarial))


@click.command()
@BUNDLE
@INDEX
@SPLIT
def fairness(model: Path, index: tuple[Path, ...], split_name: str) -> None:
    """Measure whom a bundle is wrong about: errors by skin tone, brightness, size of the face, and pose.

    Keeps the numbers in metrics.json.

    \b
    Example:
      python -m deepfake fairness --model models/light-5 --index faces/index.csv
    """
    from deepfake.evaluation.card_sections import fairness_table
    from deepfake.evaluation.fairness import measure_fairness
    from deepfake.model.metrics import read_metrics, write_metrics

    with progress_bar("faces") as follow:
        found = measure_fairness(model, index, split=split_name, progress=follow)
    click.echo(fairness_table(write_metrics(model, replace(read_metrics(model), fairness=found)).fairness))


@click.command()
@click.argument("config", type=FILE)
@click.option("--run", type=NEW_FOLDER, required=True, help="Folder for the runs of all variants.")
@click.option("--clips", type=FILE, help="A table of labelled videos that nothing was trained on.")
@click.option("--model", type=NEW_FOLDER, help="A bundle whose metrics.json shall hold the result.")
def ablate(config: Path, run: Path, clips: Path | None, model: Path | None) -> None:
    """Fit and measure the variants of a configuration: what each part is worth.

    CONFIG is a training configuration with tables [[variant]].

    \b
    Example:
      python -m deepfake ablate scripts/ablation.toml --run runs/ablation --model models/light-5
    """
    from deepfake.model.metrics import read_metrics, write_metrics
    from deepfake.training.ablate import ablate as compare

    keep_large_blocks()
    found = compare(config, run, clips, partial(click.echo, err=True))
    if model:
        write_metrics(model, replace(read_metrics(model), ablation=found))
    click.echo(as_json(found))


@click.command()
@click.argument("model", type=FOLDER)
@click.option("--readme", type=FILE, help="A README whose table of quality is brought up to date.")
def card(model: Path, readme: Path | None) -> None:
    """Write a bundle's card from its metrics.json.

    \b
    Example:
      python -m deepfake card models/light-5 --readme README.md
    """
    from deepfake.evaluation.card import write_card

    click.echo(write_card(model, readme))
