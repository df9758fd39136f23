"""Verdicts as HTML: the answer, the faces with their heat maps, and messages in their place."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path

import cv2

from deepfake.faces.crops import sample_square
from deepfake.page.evidence import Moment
from deepfake.provenance.credentials import in_sentences
from deepfake.provenance.origin import Origin
from deepfake.records import Image, Label, Score, Step, Thresholds, Verdict, WholePicture
from deepfake.report.catalogue import Catalogue
from deepfake.report.doubts import doubts
from deepfake.report.drawing import LABEL_COLOURS, hex_of, jpeg
from deepfake.report.error_rates import error_sentences
from deepfake.report.heatmap import Span, heat_layer, noise_picture
from deepfake.report.origin import origin_doubts, origin_facts, origin_marks, origin_sentences
from deepfake.report.whole_picture import patch_map, whole_sentences
from deepfake.report.words import ENGLISH, ICONS, face_answer, face_label, headline, of_hundred, sentences, spread

CARD_SIZE = 224
"""Side of a face on its card in pixels."""
MAX_CARDS = 12
"""Most faces that are shown."""
EQUALITY = "equality"
"""Anchor of what explains why the heat map adds up to the score."""


def answer(verdict: Verdict, model: Path, say: Catalogue = ENGLISH, image: Image | None = None) -> str:
    """The verdict in words: what it is, where, how often the model errs, what lowers certainty; its numbers folded.

    Args:
        verdict: The answer.
        model: Folder of the bundle that answered: how often it errs is quoted from its measures.
        say: The language.
        image: The page of the picture that is shown; with it a map is drawn over the whole, if that was judged.
    """
    told = sentences(verdict, say)
    told += [say("answer.failed", count=verdict.frames_failed)] if verdict.frames_failed else []
    parts = [f"<h2>{_icon(verdict.label)} {html.escape(headline(verdict, say))}</h2>", _score_explained(verdict, say)]
    parts.append(_paragraph(" ".join(told)))
    if verdict.p_fake is not None and (errors := error_sentences(verdict, model, say)):
        parts.append(_paragraph(" ".join(errors)))
    if found := doubts(verdict):
        items = "".join(f"<li>{html.escape(doubt(say))}</li>" for doubt in found)
        parts.append(
            f'<div class="doubts"><strong>{say("doubt.title")}</strong><ul>{items}</ul>'
            f"{_paragraph(say('doubt.advice'))}</div>"
        )
    if verdict.p_fake is not None:
        low, high = (f"{one:.2f}" for one in (verdict.thresholds.real_below, verdict.thresholds.fake_above))
        number = " ".join(
            [say("answer.number", p_fake=f"{verdict.p_fake:.2f}", low=low, high=high), *spread(verdict, say)]
        )
        parts.append(
            f"<details><summary>{say('answer.numbers')}</summary>{_paragraph(number)}"
            f"{scale_html(verdict.p_fake, verdict.thresholds, say)}</details>"
        )
    if verdict.credentials:
        parts.append(
            f'<p class="credentials"><strong>{say("answer.credentials")}:</strong> '
            f"{html.escape(in_sentences(verdict.credentials))}</p>"
        )
    if verdict.whole_picture:
        own = image if verdict.whole_picture.page == (verdict.page or 1) - 1 else None
        parts.append(_whole_picture(verdict.whole_picture, model, say, own))
    parts.append(_origin(verdict.origin, say))
    return _box(str(verdict.label), "".join(parts), say)


def _score_explained(verdict: Verdict, say: Catalogue) -> str:
    """What the score in the headline means, folded; nothing where the headline has none."""
    if verdict.label is not Label.FAKE or verdict.p_fake is None:
        return ""
    score = of_hundred(verdict.p_fake)
    told = [say("answer.score_means", score=score)]
    told += [say("answer.score_of_video")] if verdict.kind == "video" else []
    return (
        f'<details class="meaning"><summary>{say("answer.score_title", score=score)}</summary>'
        f"{_paragraph(' '.join(told))}</details>"
    )


def scale_html(p_fake: float, thresholds: Thresholds, say: Catalogue = ENGLISH) -> str:
    """A bar from 0 to 1: the real end, the inconclusive band, the fake end, and a mark at p_fake."""
    low, high = 100 * thresholds.real_below, 100 * thresholds.fake_above
    ranges = {
        Label.REAL: f"0 {low:.1f}%",
        Label.INCONCLUSIVE: f"{low:.1f}% {high:.1f}%",
        Label.FAKE: f"{high:.1f}% 100%",
    }
    bands = ", ".join(f"{hex_of(LABEL_COLOURS[label])}55 {span}" for label, span in ranges.items())
    ends = "".join(
        f'<span class="tick end" style="{side}:0">{say(f"report.{name}")}</span>'
        for side, name in (("left", "real"), ("right", "fake"))
    )
    ticks = "".join(
        f'<span class="tick middle" style="left:{place:.1f}%">{place / 100:.2f}</span>' for place in (low, high)
    )
    label = say("answer.number", p_fake=f"{p_fake:.2f}", low=f"{low / 100:.2f}", high=f"{high / 100:.2f}")
    mark = f'<span class="mark" style="left:{100 * p_fake:.1f}%"></span>'
    style = f"background:linear-gradient(90deg, {bands})"
    return f'<div class="scale" dir="ltr" role="img" aria-label="{label}" style="{style}">{mark}{ends}{ticks}</div>'


def palette_css() -> str:
    """The colours of the answers, as variables of the style sheet."""
    return ":root { " + " ".join(f"--{label}: {hex_of(colour)};" for label, colour in LABEL_COLOURS.items()) + " }"


def notice(title: str, text: str, say: Catalogue = ENGLISH) -> str:
    """A message in the place of an answer."""
    return _box("error", f"<h2>{html.escape(title)}</h2>{_paragraph(text)}", say)


def busy(say: Catalogue = ENGLISH, title: str = "answer.busy", text: str = "", **values: object) -> str:
    """That work has begun; `title`, which has these values, and `text` are keys of the catalogue."""
    return _box("busy", f"<h2>{say(title, **values)}</h2>{_paragraph(say(text)) if text else ''}", say)


def progress(step: Step, worst: float | None, say: Catalogue = ENGLISH) -> str:
    """How far a video has been searched, and the most suspicious face so far."""
    share = 100 * step.done / max(step.total, 1)
    time_s = f"{step.frame.time_s:.1f}"
    seen = (
        say("answer.progress_no_face", time=time_s)
        if worst is None
        else say("answer.progress_seen", time=time_s, score=of_hundred(worst))
    )
    return _box(
        "busy",
        f"<h2>{say('answer.progress', done=step.done, total=step.total)}</h2>{_paragraph(seen)}"
        f'<div class="bar" role="progressbar" aria-label="{say("answer.progress_bar")}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{share:.0f}"><span style="width:{share:.0f}%"></span></div>',
        say,
    )


def live_answer(scores: Sequence[Score], labels: Sequence[Label], rate: float, say: Catalogue = ENGLISH) -> str:
    """What a camera's frame looks like, in a line a face, and how many are judged a second; never a verdict."""
    if not scores:
        return _box("inconclusive", f"<h2>{say('reason.no_face')}</h2>", say)
    lines = []
    for score, label in zip(scores, labels, strict=True):
        words = say(f"answer.{label}_face")
        face = say("heat.face", face=(score.face.track or 0) + 1)
        lines.append(
            f'<p class="said {label}"><strong>{face}: {_icon(label)} {words}, {of_hundred(score.p_fake)} '
            f"{say('page.score')}</strong></p>"
        )
    _, worst = max(zip(scores, labels, strict=True), key=lambda own: own[0].p_fake)
    return _box(str(worst), "".join(lines) + _paragraph(say("page.live_rate", rate=f"{rate:.1f}")), say)


def heat_caption(verdict: Verdict, say: Catalogue = ENGLISH) -> str:
    """What the heat map is, and how to read it; nothing without a face."""
    if not verdict.scores:
        return ""
    scale = "heat.shared_scale" if verdict.kind == "video" else "heat.own_scale"
    return (
        f'<div class="caption"{_direction(say)}><strong>{say("heat.title")}: {say("heat.legend")}.</strong> '
        f"{say('heat.exact')} {say(scale)} "
        f'<a href="#{EQUALITY}">{say("heat.equality")}</a></div>'
    )


def moment_buttons(moments: Sequence[Moment], clip_start_s: float, say: Catalogue = ENGLISH) -> str:
    """The moments as buttons: the page's script lets the players jump to the time that each names.

    Args:
        moments: In order of time.
        clip_start_s: Time in seconds at which the annotated clip begins: its first frame was not the file's.
        say: The language.
    """
    buttons = "".join(
        f'<button type="button" data-time="{moment.time_s:.3f}"><img src="{picture_data(moment.image)}" alt="">'
        f"{say('timeline.moment', time=f'{moment.time_s:.2f}', score=of_hundred(moment.p_fake))}</button>"
        for moment in moments
    )
    if not moments:
        return ""
    title = f"<strong>{say('page.moments')}.</strong> {say('timeline.click')}"
    grid = f'<div class="moments" data-clip-start="{clip_start_s:.3f}">{buttons}</div>'
    return f"<div{_direction(say)}><p>{title}</p>{grid}</div>"


def face_cards(
    faces: Sequence[tuple[Image, Score, float | None]],
    verdict: Verdict,
    say: Catalogue = ENGLISH,
    span: Span | None = None,
) -> str:
    """A card for each face, in order of their numbers: under its heat map, its noise, and what each stream says.

    Args:
        faces: Frame, score, and when it was seen in seconds (None for a picture), the most suspicious first.
        verdict: The answer that they belong to.
        say: The language.
        span: As for `heat_map`; the default is each map's own.
    """
    shown = sorted(faces[:MAX_CARDS], key=lambda face: face[1].face.track or 0)
    cards = [_face_card(image, score, when, verdict, say, span) for image, score, when in shown]
    more = len(faces) - len(cards)
    rest = _paragraph(say("heat.more_faces", count=more)) if more > 0 else ""
    return f'<div class="cards"{_direction(say)}>{"".join(cards)}</div>{rest}'


def picture_data(image: Image) -> str:
    """A picture as a `data:` address: JPEG of RGB, PNG of RGBA."""
    if image.shape[2] == 3:
        return f"data:image/jpeg;base64,{base64.b64encode(jpeg(image)).decode()}"
    png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA))[1].tobytes()
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _face_card(
    image: Image, score: Score, when: float | None, verdict: Verdict, say: Catalogue, span: Span | None
) -> str:
    crop = sample_square(image, score.to_frame, CARD_SIZE)
    label, words = face_label(score, verdict), face_answer(score, verdict, say)
    number = (score.face.track or 0) + 1
    name = say("heat.face", face=number) if when is None else say("heat.face_at", face=number, time=f"{when:.2f}")
    visual, noise = score.gate
    streams = say(
        "heat.streams",
        visual=f"{score.visual:.0%}",
        visual_says=_says(score.visual_logit, say),
        noise=f"{score.noise:.0%}",
        noise_says=_says(score.noise_logit, say),
        visual_gate=f"{visual:.2f}",
        noise_gate=f"{noise:.2f}",
    )
    heat, residual = heat_layer(score.evidence, CARD_SIZE, span), noise_picture(crop)
    return (
        f'<figure class="face {label}" data-face="{number}"><div class="views"><div class="stack">'
        f'<img src="{picture_data(crop)}" alt="{say("heat.crop_of_face", face=number)}">'
        f'<img class="heat" src="{picture_data(heat)}" alt="{say("heat.of_face", face=number)}: '
        f'{say("heat.legend")}"><small>{say("heat.title")}</small></div>'
        f'<div><img src="{picture_data(residual)}" alt="{say("heat.noise_of_face", face=number)}">'
        f"<small>{say('heat.noise')}</small></div></div>"
        f"<figcaption><strong>{name}: {_icon(label)} {words}, {of_hundred(score.p_fake)} {say('page.score')}</strong>"
        f"<details><summary>{say('answer.numbers')}</summary>p_fake {score.p_fake:.2f}. {streams}</details>"
        f"</figcaption></figure>"
    )


def _whole_picture(whole: WholePicture, model: Path, say: Catalogue, image: Image | None) -> str:
    told = _paragraph(" ".join(whole_sentences(whole, model, say)))
    if image is not None:
        legend = html.escape(say("whole_picture.legend"))
        source = picture_data(patch_map(image, whole))
        told += f'<figure><img src="{source}" alt="{legend}"><figcaption>{legend}</figcaption></figure>'
    return f'<div class="whole"><h3>{say("whole_picture.title")}</h3>{told}</div>'


def _origin(origin: Origin, say: Catalogue) -> str:
    """What the file says of its origin; folded, which marks were looked for, and what it names."""
    doubtful = "".join(f"<li>{html.escape(text)}</li>" for text in origin_doubts(origin, say))
    return (
        f'<div class="origin"><p><strong>{say("origin.title")}:</strong> '
        f"{html.escape(' '.join(origin_sentences(origin, say)))}</p>{f'<ul>{doubtful}</ul>' if doubtful else ''}"
        f'<details class="marks"><summary>{say("origin.marks")}</summary>{_table(origin_marks(origin, say))}'
        f"{_paragraph(say('origin.law'))}{_table(origin_facts(origin, say))}</details></div>"
    )


def _table(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values; nothing without any."""
    lines = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>' for name, value in rows
    )
    return f"<table>{lines}</table>" if rows else ""


def _box(kind: str, content: str, say: Catalogue) -> str:
    return f'<div class="answer {kind}" role="status"{_direction(say)}>{content}</div>'


def _direction(say: Catalogue) -> str:
    return f' lang="{say.language}" dir="{"rtl" if say.right_to_left else "ltr"}"'


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>" if text else ""


def _says(logit: float, say: Catalogue) -> str:
    return say("heat.for_fake" if logit > 0 else "heat.for_real")


def _icon(label: Label) -> str:
    return f'<span aria-hidden="true">{ICONS[label]}</span>'
