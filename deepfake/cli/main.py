"""The command line: stdout is data, stderr is talk.

Exit status: 0 when all went well, 2 for a wrong call, 3 when some file could not be read, 1 for other failures.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepfake import __version__
from deepfake.cli.data import demo, extract, index_command, split, twin
from deepfake.cli.evaluate import ablate, adversarial, card, evaluate, fairness, robustness
from deepfake.cli.options import (
    FPS,
    FRAMES,
    MIN_FACE,
    MODEL,
    NEW_FOLDER,
    STABILITY,
    TRUST,
    TRUST_LIST,
    WHOLE_PICTURE,
    Commands,
    found_model,
    not_empty,
    renamed,
)
from deepfake.cli.scan import scan
from deepfake.cli.serve import serve
from deepfake.cli.terminal import AnswerList, progress_bar, tell, tell_error
from deepfake.cli.train import (
    average,
    calibrate,
    calibrate_pictures_command,
    calibrate_tracks_command,
    ensemble,
    experts,
    export,
    export_mtcnn_command,
    fine_tune,
    fit,
)
from deepfake.errors import DeepfakeError, internal_fault
from deepfake.report.catalogue import DEFAULT, LANGUAGES
from deepfake.system.text import printable

if TYPE_CHECKING:
    from deepfake.records import Label

UNREADABLE = 3
"""Exit status when some file could not be read."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Tell whether the faces in pictures and videos were manipulated or generated.

    \b
    Example:
      python -m deepfake detect examples/portrait.jpg
    """


@main.command()
@click.argument("paths", nargs=-1, required=True, callback=not_empty)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a file.")
@click.option(
    "--explain/--brief",
    default=None,
    help="Say each answer in sentences, too, or in a line alone. [default: in sentences for one file on a terminal]",
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), default=DEFAULT, show_default=True, help="Of the answers in words."
)
@click.option("--save-dir", type=NEW_FOLDER, help="Write annotated files here.")
@FRAMES
@FPS
@click.option("--start", type=click.FloatRange(min=0), default=0.0, help="Begin a video here, in seconds.")
@click.option("--end", type=click.FloatRange(min=0, min_open=True), help="Stop a video here, in seconds.")
@MODEL
@MIN_FACE
@STABILITY
@WHOLE_PICTURE
@click.option(
    "--fetch", "may_fetch", is_flag=True, help="Fetch what https:// addresses name, of at most 250 MB, in two minutes."
)
@TRUST
@TRUST_LIST
def detect(
    paths: tuple[str, ...],
    as_json: bool,
    explain: bool | None,
    language: str,
    save_dir: Path | None,
    frames: int,
    fps: float | None,
    start: float,
    end: float | None,
    model: str,
    min_face: float,
    stability: bool,
    whole_picture: bool,
    may_fetch: bool,
    trust: bool,
    trust_list: Path | None,
) -> None:
    """Judge pictures and videos: files, folders, globs, addresses with --fetch, and `-` for standard input.

    Prints a line a file, in colour on a terminal (NO_COLOR and FORCE_COLOR are heeded). Exit status 3 if some file
    could not be read. Nothing is fetched from private networks.

    \b
    Examples:
      python -m deepfake detect examples/portrait.jpg
      python -m deepfake detect examples --json --save-dir out
      python -m deepfake detect - < examples/portrait.jpg
    """
    from deepfake.faces.mtcnn import FaceSettings
    from deepfake.pipeline import Detector
    from deepfake.records import Sampling
    from deepfake.report.brief import brief, summary
    from deepfake.report.catalogue import catalogue
    from deepfake.report.explanation import explained
    from deepfake.report.files import to_json, write_report
    from deepfake.report.words import ANSWERS
    from deepfake.scan.files import find_files, unfitting
    from deepfake.system.fetch import is_address
    from deepfake.system.files import LeftOut

    try:
        sampling = Sampling(frames, fps, start, end)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not may_fetch and (address := next(filter(is_address, paths), None)):
        raise click.UsageError(f"{printable(address)} is an address. Pass --fetch to fetch what it names.")
    elsewhere = [name for name in paths if name == "-" or is_address(name)]
    names = [name for name in paths if name not in elsewhere]
    left_out, failed = LeftOut(), 0
    labels: list[Label] = []
    scored = False
    files: list[Path | str] = [*find_files(names, left_out), *elsewhere]
    if left_out:
        click.echo(f"left out: {left_out}", err=True)
    if not files:
        raise click.UsageError(f"No picture or video in {', '.join(paths)}.")
    face_settings = FaceSettings(min_face_share=min_face)
    detector = Detector(
        found_model(model, trust=trust),
        trust=trust,
        face_settings=face_settings,
        trust_list=trust_list,
        stability=stability,
        whole_picture=whole_picture,
    )
    for name in unfitting(names):
        tell_error(f"nothing fits {name}. Check the pattern and the folder.")
        failed += 1
    say = catalogue(language)
    answers = AnswerList([str(file) for file in files], [say(key) for key in ANSWERS])
    explain = explain if explain is not None else len(files) == 1 and sys.stdout.isatty()
    for number, file in enumerate(files, start=1):
        try:
            with ExitStack() as stack:
                path = file if isinstance(file, Path) else stack.enter_context(_had(file))
                follow = stack.enter_context(progress_bar(f"{number}/{len(files)} {printable(path.name)}"))
                verdict = detector.detect(path, sampling, follow)
                written = write_report(verdict, save_dir, detector.model) if save_dir else []
        except OSError:
            raise  # Where the reports go is no matter of one file.
        except Exception as error:  # noqa: BLE001 Whatever it is, it costs its file, and not those after it.
            tell_error(str(error) if isinstance(error, DeepfakeError) else f"{file}: {internal_fault(error)}")
            failed += 1
            continue
        labels.append(verdict.label)
        scored |= verdict.p_fake is not None
        if as_json:
            click.echo(to_json(replace(verdict, path=str(file)), model=detector.model))
        else:
            told = explained(verdict, detector.model, say) if explain else []
            answers.add(str(file), brief(verdict, say), told)
        for report in written:
            click.echo(f"wrote {printable(str(report))}", err=True)
    if not as_json and len(labels) + failed > 1:
        tell(summary(labels, failed, say))
    if not as_json and scored and sys.stdout.isatty():
        tell(say("line.legend"), "dim")
    if failed:
        sys.exit(UNREADABLE)


@contextmanager
def _had(name: str) -> Iterator[Path]:
    """A file with what an address or standard input (`-`) gives, while the context is open."""
    from deepfake.system.fetch import copied, fetch

    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        if name == "-":
            chunks = iter(partial(sys.stdin.buffer.read, 1 << 16), b"")
            yield copied(chunks, Path(folder) / "stdin", "Standard input")
        else:
            yield fetch(name, Path(folder))


SECTIONS = {
    "Judge": (detect, scan, serve),
    "Data": (demo, index_command, split, extract, twin),
    "Train": (
        fit,
        fine_tune,
        average,
        ensemble,
        experts,
        calibrate,
        export,
        calibrate_tracks_command,
        calibrate_pictures_command,
        export_mtcnn_command,
    ),
    "Measure": (evaluate, robustness, adversarial, fairness, ablate, card),
}
"""The commands under the headings of the help, in the order of use."""
for heading, commands in SECTIONS.items():
    for command in commands:
        main.add_command(command)
        main.headings[command.name or ""] = heading
for old, new in {
    "sweep": robustness,
    "attack": adversarial,
    "audit": fairness,
    "export-detector": export_mtcnn_command,
}.items():
    main.add_command(renamed(old, new))
