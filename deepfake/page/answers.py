"""Verdicts as HTML: the answer, the faces with their heat maps, the table of a batch, and messages in their place."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import cv2

from deepfake.faces.crops import sample_square
from deepfake.provenance.credentials import in_sentences
from deepfake.records import Image, Label, Score, Step, Thresholds, Verdict
from deepfake.report.drawing import LABEL_COLOURS, hex_of, jpeg
from deepfake.report.heatmap import heat_layer, noise_picture
from deepfake.report.words import HEAT_LEGEND, ICONS, WORDS, advice, headline, sentence, shown_name
from deepfake.verdict import judge

CARD_SIZE = 224
"""Side of a face on its card in pixels."""
MAX_CARDS = 12
"""Most faces that are shown."""


def answer(verdict: Verdict) -> str:
    """The verdict in words, with p_fake on its scale."""
    number = "" if verdict.p_fake is None else f": p_fake {verdict.p_fake:.2f}"
    scale = "" if verdict.p_fake is None else scale_html(verdict.p_fake, verdict.thresholds)
    credentials = (
        f'<p class="credentials"><strong>Content Credentials:</strong> '
        f"{html.escape(in_sentences(verdict.credentials))}</p>"
        if verdict.credentials
        else ""
    )
    failed = f" {verdict.frames_failed} frames could not be decoded." if verdict.frames_failed else ""
    return (
        f'<div class="answer {verdict.label}" role="status">'
        f"<h2>{_icon(verdict.label)} {headline(verdict)}{number}</h2>"
        f"<p>{html.escape(sentence(verdict) + failed)}</p>{scale}"
        f"<p><strong>What would change the answer:</strong> {html.escape(advice(verdict))}</p>{credentials}</div>"
    )


def scale_html(p_fake: float, thresholds: Thresholds) -> str:
    """A bar from 0 to 1: the real end, the inconclusive band, the fake end, and a mark at p_fake."""
    low, high = 100 * thresholds.real_below, 100 * thresholds.fake_above
    ranges = {
        Label.REAL: f"0 {low:.1f}%",
        Label.INCONCLUSIVE: f"{low:.1f}% {high:.1f}%",
        Label.FAKE: f"{high:.1f}% 100%",
    }
    bands = ", ".join(f"{hex_of(LABEL_COLOURS[label])}55 {span}" for label, span in ranges.items())
    ends = '<span class="tick end" style="left:0">real</span><span class="tick end" style="right:0">fake</span>'
    ticks = "".join(
        f'<span class="tick middle" style="left:{place:.1f}%">{place / 100:.2f}</span>' for place in (low, high)
    )
    label = f"p_fake {p_fake:.2f} from 0 to 1; real below {low / 100:.2f}, fake from {high / 100:.2f}"
    mark = f'<span class="mark" style="left:{100 * p_fake:.1f}%"></span>'
    style = f"background:linear-gradient(90deg, {bands})"
    return f'<div class="scale" role="img" aria-label="{label}" style="{style}">{mark}{ends}{ticks}</div>'


def palette_css() -> str:
    """The colours of the answers, as variables of the style sheet."""
    return ":root { " + " ".join(f"--{label}: {hex_of(colour)};" for label, colour in LABEL_COLOURS.items()) + " }"


def notice(title: str, text: str) -> str:
    """A message in the place of an answer."""
    return f'<div class="answer error" role="status"><h2>{html.escape(title)}</h2><p>{html.escape(text)}</p></div>'


def progress(step: Step, worst: float | None) -> str:
    """How far a video has been searched, and the most suspicious face so far."""
    share = 100 * step.done / max(step.total, 1)
    seen = "no face yet" if worst is None else f"highest p_fake of a single face so far: {worst:.2f}"
    return (
        f'<div class="answer busy" role="status"><h2>Looking at frame {step.done} of {step.total}</h2>'
        f'<p>{step.time_s:.1f} s into the video; {seen}. This is no answer yet.</p><div class="bar" '
        f'role="progressbar" aria-label="frames searched" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share:.0f}"><span style="width:{share:.0f}%"></span></div></div>'
    )


def face_cards(faces: Sequence[tuple[Image, Score, str]], thresholds: Thresholds) -> str:
    """A card for each face: the crop under its heat map, the noise residual, and what each stream says.

    Args:
        faces: Frame, score, and when it was seen ("" for a picture).
        thresholds: The bundle's.
    """
    cards = [_face_card(image, score, when, thresholds) for image, score, when in faces[:MAX_CARDS]]
    more = len(faces) - len(cards)
    rest = f"<p>{more} more faces are in the JSON.</p>" if more > 0 else ""
    return f'<div class="cards">{"".join(cards)}</div>{rest}'


def batch_table(rows: Sequence[tuple[str, Verdict | str, Image | None]]) -> str:
    """A table of several files.

    Args:
        rows: Name, verdict or what went wrong, and a small picture of it or None.
    """
    lines = []
    for name, outcome, image in rows:
        thumbnail = f'<img src="{picture_data(image)}" alt="">' if image is not None else ""
        if isinstance(outcome, str):
            cells = f'<td colspan="3">✖ {html.escape(outcome)}</td>'
        else:
            p_fake = "–" if outcome.p_fake is None else f"{outcome.p_fake:.2f}"
            cells = (
                f'<td class="{outcome.label}">{_icon(outcome.label)} {headline(outcome)}</td>'
                f"<td>{p_fake}</td><td>{len(outcome.tracks)}</td>"
            )
        lines.append(f'<tr><td>{thumbnail}</td><th scope="row">{html.escape(shown_name(name))}</th>{cells}</tr>')
    head = "".join(
        f'<th scope="col">{title}</th>' for title in ("Picture", "File", "Answer", "p_fake", "Faces or people")
    )
    return f'<table class="batch"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def picture_data(image: Image) -> str:
    """A picture as a `data:` address: JPEG of RGB, PNG of RGBA."""
    if image.shape[2] == 3:
        return f"data:image/jpeg;base64,{base64.b64encode(jpeg(image)).decode()}"
    png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA))[1].tobytes()
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _face_card(image: Image, score: Score, when: str, thresholds: Thresholds) -> str:
    crop = sample_square(image, score.to_frame, CARD_SIZE)
    label = judge(score.p_fake, thresholds)
    name = f"Face {(score.face.track or 0) + 1}{when}"
    visual, noise = score.gate
    return (
        f'<figure class="face {label}"><div class="views"><div class="stack">'
        f'<img src="{picture_data(crop)}" alt="{name}">'
        f'<img class="heat" src="{picture_data(heat_layer(score.evidence, CARD_SIZE))}" '
        f'alt="heat map of {name}: {HEAT_LEGEND}"></div>'
        f'<img src="{picture_data(noise_picture(crop))}" alt="noise residual of {name}"></div>'
        f"<figcaption><strong>{name}: {_icon(label)} {WORDS[label].lower()}, p_fake {score.p_fake:.2f}</strong><br>"
        f"Evidence from the visual stream {score.visual:.0%} ({_says(score.visual_logit)}), "
        f"from the noise stream {score.noise:.0%} ({_says(score.noise_logit)}). "
        f"Gate: visual {visual:.2f}, noise {noise:.2f}.</figcaption></figure>"
    )


def _says(logit: float) -> str:
    return "for fake" if logit > 0 else "for real"


def _icon(label: Label) -> str:
    return f'<span aria-hidden="true">{ICONS[label]}</span>'
