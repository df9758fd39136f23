"""The page: builds widgets, calls `detect` and `report`, decides nothing.

python app.py            http://127.0.0.1:7860
python app.py --share    a public link, for as long as it runs
"""

from __future__ import annotations

import html
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import gradio as gr

from deepfake.bundle import DEFAULT_MODEL
from deepfake.errors import BundleError, MediaError
from deepfake.evidence import timeline
from deepfake.media import PICTURE_SUFFIXES, VIDEO_SUFFIXES, read_picture
from deepfake.pipeline import Detector
from deepfake.records import Label, Score, Thresholds, Verdict
from deepfake.report import annotate, annotated_frames, face_pictures, sentence, suspicious_frames, write_clip

EXAMPLES = Path(__file__).resolve().parent / "examples"
ICONS = {Label.REAL: "✔", Label.FAKE: "⚠", Label.INCONCLUSIVE: "?"}
MAX_UPLOAD = "250mb"
GALLERY_FRAMES = 6
SCRATCH_AGE_S = 600.0
"""How long a drawn clip is kept beside Gradio's own copy."""
BUTTONS: Any = ["download", "fullscreen"]
CSS = """
.answer { border-left: 6px solid; padding: .6rem 1rem 1rem; overflow: visible; }
.answer h2 { margin: 0 0 .3rem; }
.answer.fake { border-color: #d62828; } .answer.real { border-color: #1e6ec8; }
.answer.inconclusive, .answer.error { border-color: #c88c00; }
.scale { position: relative; height: 1.4rem; margin: 1.6rem .5rem 1.8rem; border-radius: .3rem; }
.scale .mark { position: absolute; top: -.35rem; width: 3px; height: 2.1rem; background: currentColor; }
.scale .tick { position: absolute; top: 1.6rem; font-size: .75rem; white-space: nowrap; }
.scale .tick.middle { transform: translateX(-50%); }
"""


def as_sent(widget: gr.Image) -> gr.Image:
    """The widget, handing over the file as it was sent: re-encoding it would destroy the evidence."""
    widget.preprocess = lambda payload: payload.path if payload else None
    return widget


def build(detector: Detector) -> gr.Blocks:
    """Builds the page around one detector; a queue of one lets its networks serve one request at a time."""
    # Gradio copies what is shown into its own cache; the originals go soon, and all of them at exit.
    scratch = tempfile.TemporaryDirectory(prefix="deepfake-", ignore_cleanup_errors=True)

    def judge_picture(path: str | None) -> tuple[Any, ...]:
        if not path:
            return notice("No picture yet", "Choose a picture, then press Analyse."), None, None, None
        try:
            verdict = detector.detect(path)
        except MediaError as error:
            return notice("This file cannot be read", without_path(error, path)), None, None, None
        image = read_picture(path).image
        faces = [
            (picture, caption)
            for score, pair in zip(verdict.scores, face_pictures(image, verdict.scores), strict=True)
            for picture, caption in zip(pair, face_captions(score), strict=True)
        ]
        return answer(verdict), annotate(image, verdict.scores, verdict), faces or None, public(verdict)

    def judge_video(path: str | None, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:  # noqa: B008
        if not path:
            return notice("No video yet", "Choose a video, then press Analyse."), None, None, None, None
        try:
            verdict = detector.detect(
                path, progress=lambda done, total: progress((done, total), desc="Looking at frames")
            )
            progress(0.95, desc="Drawing the evidence")
            prune(Path(scratch.name), SCRATCH_AGE_S)
            clip = write_clip(verdict, Path(tempfile.mkdtemp(dir=scratch.name)) / "annotated.mp4")
            chosen = set(suspicious_frames(verdict, GALLERY_FRAMES))
            frames = [
                (frame.image, f"{frame.time_s:.2f} s: p_fake {max(score.p_fake for score in scores):.2f}")
                for frame, scores in annotated_frames(verdict)
                if frame.index in chosen
            ]
        except MediaError as error:
            return notice("This file cannot be read", without_path(error, path)), None, None, None, None
        plot = Path(clip).with_name("timeline.png")
        if verdict.scores:
            plot.write_bytes(timeline(verdict))
        return answer(verdict), str(plot) if verdict.scores else None, str(clip), frames or None, public(verdict)

    # One request at a time, whichever tab it comes from: LiteRT interpreters are not thread-safe.
    one_at_a_time: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "detector"}
    with gr.Blocks(title="deepfake: real or fake?", analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown(
            "# Real or fake?\nGive a picture or a video of a face. Files are looked at on this machine, "
            "and deleted within an hour. The answer is evidence to be weighed, not proof."
        )
        with gr.Tab("Picture"), gr.Row():
            with gr.Column():
                picture = as_sent(
                    gr.Image(
                        label="Picture",
                        type="filepath",
                        image_mode=None,
                        sources=["upload", "clipboard", "webcam"],
                        height=360,
                    )
                )
                look = gr.Button("Analyse", variant="primary")
                gr.Examples([[str(path)] for path in examples(PICTURE_SUFFIXES)], [picture], label="Examples")
            with gr.Column():
                picture_answer = gr.HTML(notice("No picture yet", "Choose a picture, then press Analyse."))
                annotated = gr.Image(
                    label="Evidence: red speaks for fake, blue for real",
                    interactive=False,
                    format="png",
                    buttons=BUTTONS,
                )
                faces = gr.Gallery(label="Faces", columns=2, height="auto", format="png")
                with gr.Accordion("Details", open=False):
                    picture_json = gr.JSON(show_label=False)
        with gr.Tab("Video"), gr.Row():
            with gr.Column():
                video = gr.Video(label="Video", sources=["upload", "webcam"], height=360)
                watch = gr.Button("Analyse", variant="primary")
                gr.Examples([[str(path)] for path in examples(VIDEO_SUFFIXES)], [video], label="Examples")
            with gr.Column():
                video_answer = gr.HTML(notice("No video yet", "Choose a video, then press Analyse."))
                plot = gr.Image(show_label=False, interactive=False, format="png", buttons=BUTTONS)
                gallery = gr.Gallery(label="Most suspicious frames", columns=3, height="auto", format="png")
                clip = gr.Video(label="Annotated clip", interactive=False)
                with gr.Accordion("Details", open=False):
                    video_json = gr.JSON(show_label=False)
        look.click(
            judge_picture,
            picture,
            [picture_answer, annotated, faces, picture_json],
            api_name="detect_image",
            **one_at_a_time,
        )
        watch.click(
            judge_video,
            video,
            [video_answer, plot, clip, gallery, video_json],
            api_name="detect_video",
            **one_at_a_time,
        )
    return page


def answer(verdict: Verdict) -> str:
    """The verdict in words, with p_fake on its scale."""
    number = "" if verdict.p_fake is None else f": p_fake {verdict.p_fake:.2f}"
    scale = "" if verdict.p_fake is None else scale_html(verdict.p_fake, verdict.thresholds)
    failed = f" {verdict.frames_failed} frames could not be decoded." if verdict.frames_failed else ""
    return (
        f'<div class="answer {verdict.label}" role="status">'
        f"<h2>{ICONS[verdict.label]} {verdict.label.capitalize()}{number}</h2>"
        f"<p>{html.escape(sentence(verdict) + failed)}</p>{scale}</div>"
    )


def scale_html(p_fake: float, thresholds: Thresholds) -> str:
    """A bar from 0 to 1: the real end, the inconclusive band, the fake end, and a mark at p_fake."""
    low, high = 100 * thresholds.real_below, 100 * thresholds.fake_above
    bands = (
        f"linear-gradient(90deg, #1e6ec855 0 {low:.1f}%, #c88c0055 {low:.1f}% {high:.1f}%, #d6282855 {high:.1f}% 100%)"
    )
    ends = '<span class="tick" style="left:0">real</span><span class="tick" style="right:0">fake</span>'
    ticks = "".join(
        f'<span class="tick middle" style="left:{place:.1f}%">{place / 100:.2f}</span>' for place in (low, high)
    )
    label = f"p_fake {p_fake:.2f}; real below {low / 100:.2f}, fake from {high / 100:.2f}"
    mark = f'<span class="mark" style="left:{100 * p_fake:.1f}%"></span>'
    return f'<div class="scale" role="img" aria-label="{label}" style="background:{bands}">{mark}{ends}{ticks}</div>'


def notice(title: str, text: str) -> str:
    """A message in the place of an answer."""
    return f'<div class="answer error" role="status"><h2>{html.escape(title)}</h2><p>{html.escape(text)}</p></div>'


def face_captions(score: Score) -> tuple[str, str]:
    """What is written under a face and under its heat map."""
    face = f"face {(score.face.track or 0) + 1}: p_fake {score.p_fake:.2f}"
    return face, f"visual {score.visual:.0%}, noise {score.noise:.0%}"


def public(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain values, without the server's path."""
    return {**verdict.as_dict(), "path": Path(verdict.path).name}


def without_path(error: MediaError, path: str) -> str:
    """An error's text, without the server's path."""
    return str(error).replace(path, Path(path).name)


def prune(folder: Path, age_s: float) -> None:
    """Deletes what has lain in a folder for longer than `age_s` seconds."""
    for entry in folder.iterdir():
        if time.time() - entry.stat().st_mtime > age_s:
            shutil.rmtree(entry)


def examples(suffixes: frozenset[str]) -> list[Path]:
    """The bundled examples of one kind."""
    return sorted(path for path in EXAMPLES.glob("*") if path.suffix in suffixes)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for the network.")
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True, help="Port to listen on.")
@click.option("--share", is_flag=True, help="Make a public link, through Gradio's servers.")
@click.option(
    "--model", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_MODEL, help="A bundle's folder."
)
def main(host: str, port: int, share: bool, model: Path) -> None:
    """Open the page.

    \b
    Example:
      python app.py --port 7860
    """
    try:
        detector = Detector(model)
    except BundleError as error:
        raise click.ClickException(str(error)) from error
    page = build(detector).queue(max_size=20)
    page.launch(
        server_name=host,
        server_port=port,
        share=share,
        css=CSS,
        theme=gr.themes.Soft(),
        max_file_size=MAX_UPLOAD,
        run_history=False,
        enable_monitoring=False,
        footer_links=["api"],
    )


if __name__ == "__main__":
    main()
