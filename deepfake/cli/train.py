"""Commands that make a model: from a table of faces to a bundle.

Each imports what it needs when it runs: the command line starts without TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from deepfake.cli.epochs import epoch_lines
from deepfake.cli.options import FAKES, FILE, FOLDER, NEW_FILE, NEW_FOLDER, as_json, quiet_tensorflow
from deepfake.cli.terminal import progress_bar
from deepfake.system.memory import keep_large_blocks

if TYPE_CHECKING:
    from deepfake.data.config import Fakes


@click.command()
@click.argument("config", type=FILE)
@click.option("--run", type=NEW_FOLDER, required=True, help="Folder for the run.")
@FAKES
@click.option("--leave-out", multiple=True, metavar="SOURCE", help="Keep this source from training and validation.")
@quiet_tensorflow()
def fit(config: Path, run: Path, fakes: Fakes | None, leave_out: tuple[str, ...]) -> None:
    """Fit a network to faces; a killed run goes on where it stopped.

    CONFIG is a TOML file with the sections data, crop, network, augment and fit.

    \b
    Examples:
      python -m deepfake fit scripts/light-5-generated-last.toml --run runs/light-5
      python -m deepfake fit mine.toml --run runs/reals --fakes self-blend
    """
    from msgspec.structs import replace

    from deepfake.data.config import read_config
    from deepfake.training.fit import fit as fit_network

    keep_large_blocks()
    settings = read_config(config)
    if fakes:
        settings = replace(settings, data=replace(settings.data, fakes=fakes))
    if leave_out:
        settings = replace(settings, data=replace(settings.data, leave_out=leave_out))
    with epoch_lines() as lines:
        written = fit_network(settings, run, follow=lines, say=lines.say)
    click.echo(written)


@click.command("fine-tune")
@click.argument("folder", type=FOLDER)
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder of the new bundle; its name is the model's.")
@click.option("--work", type=NEW_FOLDER, required=True, help="Folder for faces and the run.")
@click.option("--model", type=NEW_FOLDER, help="The bundle to start from. [default: the one that ships]")
@click.option(
    "--dataset",
    type=click.Choice(["celeb-df-v2", "faceforensics", "dfdc", "cifake", "folder"]),
    default="folder",
    show_default=True,
    help="Layout of the folder.",
)
@FAKES
@click.option("--epochs", type=click.IntRange(min=1), default=10, show_default=True, help="Most epochs.")
@click.option("--json", "in_json", is_flag=True, help="Print what was measured as JSON, not as a table.")
@quiet_tensorflow()
def fine_tune(
    folder: Path,
    out: Path,
    work: Path,
    model: Path | None,
    dataset: str,
    fakes: Fakes | None,
    epochs: int,
    in_json: bool,
) -> None:
    """Go on training a bundle on a folder of your own, and write and measure a new one.

    FOLDER holds pictures or videos below `real` and `fake`; with --fakes self-blend, `real` is enough. Before it begins
    it says how long it will take. At the end it prints what the old and the new model answer about the faces that were
    kept back. Killed and called again, it goes on.

    \b
    Example:
      python -m deepfake fine-tune my_pictures --work runs/mine --out models/mine
    """
    from deepfake.model.bundle import DEFAULT_MODEL
    from deepfake.report.metrics_tables import comparison_table
    from deepfake.training.fine_tune import FineTuneSettings
    from deepfake.training.fine_tune import fine_tune as go_on

    keep_large_blocks()
    settings = FineTuneSettings(fakes or "given", epochs=epochs, dataset=dataset)
    with epoch_lines() as lines:
        found = go_on(folder, work, out, model=model or DEFAULT_MODEL, settings=settings, say=lines.say, follow=lines)
    if in_json:
        click.echo(msgspec.json.encode(found).decode())
    elif found.before and found.after:
        click.echo(comparison_table(found.before, found.after))


@click.command()
@click.argument("runs", type=FOLDER, nargs=-1, required=True)
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder of the mean; a run like any other.")
@quiet_tensorflow()
def average(runs: tuple[Path, ...], out: Path) -> None:
    """Average the weights of runs of which each went on from the one before.

    \b
    Example:
      python -m deepfake average runs/one runs/two --out runs/mean
    """
    from deepfake.training.average import average as average_runs

    click.echo(average_runs(runs, out))


@click.command()
@click.argument("runs", type=FOLDER, nargs=-1, required=True)
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder of the ensemble; a run like any other.")
@click.option("--share", "shares", type=float, multiple=True, help="How much a run counts; once for each, in order.")
@quiet_tensorflow()
def ensemble(runs: tuple[Path, ...], out: Path, shares: tuple[float, ...]) -> None:
    """Join the networks of runs in one that answers their mean.

    \b
    Example:
      python -m deepfake ensemble runs/one runs/two --share 0.7 --share 0.3 --out runs/both
    """
    from deepfake.training.ensemble import join

    click.echo(join(runs, out, shares))


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="TRACE=RUN...")
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder of the whole; a run like any other.")
@click.option(
    "--sharpness",
    type=click.FloatRange(min=0),
    help="How much more an expert counts in the mean that is surer of a fake. [default: 0.5]",
)
@click.option("--scale", type=click.FloatRange(0.3, 3), help="Width of the crop to serve, in boxes of the face.")
@click.option("--tta", type=float, multiple=True, help="Width of a further square to look at, in crops, above 1.")
@quiet_tensorflow()
def experts(
    runs: tuple[str, ...], out: Path, sharpness: float | None, scale: float | None, tta: tuple[float, ...]
) -> None:
    """Join calibrated runs, each an expert in one kind of trace, in one network that answers their mean.

    \b
    Example:
      python -m deepfake experts blended=runs/blended generated=runs/generated --out runs/both
    """
    from deepfake.records import CropSpec
    from deepfake.training.ensemble import SHARPNESS, join_experts
    from deepfake.training.run import read_run_config

    named = {trace: Path(run) for trace, sign, run in (text.partition("=") for text in runs) if trace and sign and run}
    if len(named) != len(runs):
        raise click.UsageError(f"Give each run as TRACE=RUN, with different traces. Received: {' '.join(runs)}.")
    crop = read_run_config(next(iter(named.values()))).crop
    try:
        # The crop's centre stays on the same point of the face.
        served = scale or crop.scale
        crop = CropSpec(crop.size, served, crop.shift * crop.scale / served, (1.0, *tta) if tta else crop.tta_scales)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(join_experts(named, out, sharpness=SHARPNESS if sharpness is None else sharpness, crop=crop))


@click.command()
@click.argument("run", type=FOLDER)
@click.option(
    "--half-weight",
    type=click.FloatRange(min=0),
    help="Pictures of which a source weighs half of what an endless one does; 0 for all the same. [default: 50]",
)
@quiet_tensorflow()
def calibrate(run: Path, half_weight: float | None) -> None:
    """Fit a run's temperature and thresholds on its validation split.

    \b
    Example:
      python -m deepfake calibrate runs/light-5
    """
    from deepfake.training.calibrate import HALF_WEIGHT
    from deepfake.training.calibrate import calibrate as calibrate_run

    weight = HALF_WEIGHT if half_weight is None else half_weight
    click.echo(calibrate_run(run, half_weight=weight).read_text(encoding="utf-8"))


@click.command("calibrate-tracks")
@click.option("--model", type=FOLDER, required=True, help="Folder of a bundle.")
@click.option("--clips", type=FILE, help="A CSV table of labelled videos that nothing was trained on.")
@click.option("--index", type=FILE, multiple=True, help="An index of faces, of whose clips frames are joined.")
@quiet_tensorflow()
def calibrate_tracks_command(model: Path, clips: Path | None, index: tuple[Path, ...]) -> None:
    """Fit a bundle's answer about a person over time on labelled clips.

    \b
    Example:
      python -m deepfake calibrate-tracks --model models/light-5 --clips clips.csv --index faces/index.csv
    """
    from deepfake.training.calibrate_tracks import calibrate_tracks

    if clips is None and not index:
        raise click.UsageError("Give --clips, --index or both.")
    with progress_bar("clips") as follow:
        found = calibrate_tracks(model, clips, index, progress=follow)
    click.echo(as_json(found))


@click.command("calibrate-pictures")
@click.option("--model", type=FOLDER, required=True, help="Folder of a bundle with an expert called `generated`.")
@click.option("--pictures", type=FILE, required=True, help="A CSV table of pictures that nothing was trained on.")
@quiet_tensorflow()
def calibrate_pictures_command(model: Path, pictures: Path) -> None:
    """Fit a bundle's answer about whole pictures on labelled ones, and measure it by folds.

    In the table photographs are `real` and generated pictures `fake`.

    \b
    Example:
      python -m deepfake calibrate-pictures --model models/light-5 --pictures scenes.csv
    """
    from deepfake.training.calibrate_pictures import calibrate_pictures

    with progress_bar("pictures") as follow:
        found = calibrate_pictures(model, pictures, progress=follow)
    click.echo(as_json(found.calibration))


@click.command()
@click.argument("source", metavar="RUN|MODEL")
@click.option("--out", type=NEW_FOLDER, help="Make a bundle of a run in this folder; its name is the model's.")
@click.option("--crops", type=click.IntRange(min=1), default=500, show_default=True, help="Crops to compare on.")
@click.option("--onnx", type=NEW_FILE, help="Write the network of a model, or of the new bundle, as this ONNX file.")
@quiet_tensorflow()
def export(source: str, out: Path | None, crops: int, onnx: Path | None) -> None:
    """Write a run as a bundle of TFLite graphs, or a model as an ONNX file, checked against Keras.

    RUN is the folder of a run, for --out. MODEL is the name, folder or URL of a model, for --onnx alone, which compares
    on faces of the examples.

    \b
    Examples:
      python -m deepfake export runs/light-5 --out models/light-5
      python -m deepfake export models/light-5 --onnx light-5.onnx
    """
    if out is None and onnx is None:
        raise click.UsageError("Give --out, --onnx or both.")
    from deepfake.model.hub import find_model
    from deepfake.training.export import export_run
    from deepfake.training.export_onnx import export_onnx

    folder = find_model(source)
    if out is not None:
        click.echo(as_json(export_run(folder, out, crops)))
    if onnx is not None:
        click.echo(as_json(export_onnx(out or folder, onnx)))


@click.command("export-mtcnn")
@click.option("--out", type=NEW_FOLDER, default=Path("models/mtcnn"), show_default=True, help="Folder to write to.")
@quiet_tensorflow()
def export_mtcnn_command(out: Path) -> None:
    """Convert the networks of the installed `mtcnn` package to TFLite.

    \b
    Example:
      python -m deepfake export-mtcnn --out models/mtcnn
    """
    from deepfake.training.export_mtcnn import export_detector

    click.echo(export_detector(out))
