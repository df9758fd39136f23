"""Pieces that several tabs of the page are made of."""

from __future__ import annotations

from typing import Any

import gradio as gr

from deepfake.faces.mtcnn import FaceSettings
from deepfake.page.actions import Actions
from deepfake.page.examples import Examples
from deepfake.page.feedback import CONSENT, TRUTHS, Feedback
from deepfake.page.language import label

SHOW_ANSWER = "() => deepfake.show('#{}-answer')"
SET_HEAT = "(share) => { document.documentElement.style.setProperty('--heat', share); }"
BUTTONS: Any = ["download", "fullscreen"]
WITH_WORK, WITH_ANSWER, WITH_FACES, WITH_LINES = "with-work", "with-answer", "with-faces", "with-lines"
"""Classes of what is shown only while a tab is at work, or has an answer, the card of a face, or a line of a table."""
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""How an event is wired that neither programs nor spinners need to know of."""


def followed_up(done: Any, actions: Actions, about: list[gr.State], buttons: list[Any], which: str) -> Any:
    """What follows an answer: a narrow screen shows it, and its files are made."""
    done.then(None, js=SHOW_ANSWER.format(which), **QUIET)
    return done.then(actions.keep, about, buttons, **QUIET)


def picture_input(key: str, sources: Any, name: str) -> gr.Image:
    """A picture that is handed over as it was sent: re-encoding it would destroy the evidence."""
    with gr.Column(elem_classes="given"):
        widget = gr.Image(label=label(key), type="filepath", image_mode=None, sources=sources, height=360, elem_id=name)
        _not_shown()
    widget.preprocess = lambda payload: payload.path if payload else None
    return widget


def video_input() -> gr.Video:
    """A video, as a picture is."""
    with gr.Column(elem_classes="given"):
        widget = gr.Video(label=label("page.video"), sources=["upload", "webcam"], height=360, elem_id="video-input")
        _not_shown()
    return widget


def _not_shown() -> None:
    """The words over a file that the browser cannot show; page.js finds out whether it can."""
    gr.Markdown(label("page.not_shown"), elem_classes="not-shown")


def heat_slider(name: str) -> gr.ImageSlider:
    """A picture beside itself with its heat maps."""
    return gr.ImageSlider(
        label="Grad-CAM", show_label=False, interactive=False, visible=False, elem_id=name, buttons=BUTTONS
    )


def example_gallery(page: gr.Blocks, examples: Examples) -> gr.Gallery:
    """The bundled examples of one kind, each with its known truth."""
    gr.Markdown(label("page.examples"))
    gallery = gr.Gallery(
        label=label("page.examples"),
        show_label=False,
        columns=4,
        height="auto",
        object_fit="contain",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_classes="examples",
    )
    page.load(examples.captioned, None, gallery, **QUIET)
    return gallery


def chosen_example(gallery: gr.Gallery, examples: Examples, widget: Any) -> Any:
    """The event of an example that is clicked: its file stands where uploads do."""
    return gallery.select(examples.chosen, None, widget, **QUIET)


def face_cards_area() -> gr.HTML:
    """Where the cards of faces stand, below the strength of their heat maps."""
    strength = gr.Slider(0, 1, 0.6, step=0.05, label=label("heat.strength"), elem_classes=WITH_FACES)
    strength.input(None, strength, None, js=SET_HEAT, api_visibility="private")
    return gr.HTML(elem_classes="faces")


def keep_buttons(which: str) -> tuple[gr.DownloadButton, gr.DownloadButton]:
    """The buttons for the report and for the numbers."""
    with gr.Row(elem_classes=WITH_ANSWER):
        pdf = gr.DownloadButton(label("page.pdf"), interactive=False, elem_id=f"{which}-pdf")
        data = gr.DownloadButton(label("page.json"), interactive=False, elem_id=f"{which}-json")
    return pdf, data


def cancel_button(which: str) -> gr.Button:
    """The button that ends the work of a tab."""
    return gr.Button(label("page.cancel"), elem_id=f"cancel-{which}", elem_classes=WITH_WORK)


def smallest_face(which: str) -> gr.Slider:
    """How small faces are searched for, in percent of the short side, one click deeper."""
    with gr.Accordion(label("page.options"), open=False, elem_id=f"{which}-options"):
        return gr.Slider(
            1,
            50,
            100 * FaceSettings().min_face_share,
            step=1,
            label=label("page.smallest"),
            info=label("page.smallest_text"),
            elem_id=f"{which}-smallest",
        )


def address_field(which: str) -> tuple[gr.Textbox, gr.Button]:
    """An address of the web, and the button that has it fetched."""
    address = gr.Textbox(
        label=label("fetch.address"),
        info=label("fetch.text"),
        placeholder="https://",
        max_lines=1,
        max_length=2000,
        elem_id=f"{which}-address",
    )
    return address, gr.Button(label("fetch.fetch"), elem_id=f"fetch-{which}")


def numbers_area() -> gr.JSON:
    """Where all numbers stand, one click deeper."""
    with gr.Accordion(label("page.all_numbers"), open=False, elem_classes=WITH_ANSWER):
        return gr.JSON(show_label=False)


def feedback_form(feedback: Feedback | None, verdict: gr.State) -> None:
    """The form by which a visitor tells the truth about a file; nothing where it is not kept."""
    if feedback is None:
        return
    with gr.Accordion(label("feedback.title"), open=False, elem_classes=WITH_ANSWER):
        gr.Markdown(label("feedback.text"))
        choices = [(label(f"feedback.{truth}"), str(truth)) for truth in TRUTHS]
        truth = gr.Radio(choices, label=label("feedback.truth"))
        consent = gr.CheckboxGroup([(label("feedback.consent"), CONSENT)], show_label=False)
        save = gr.Button(label("feedback.save"))
        told = gr.Markdown()
    save.click(feedback.told, [verdict, truth, consent], [told, consent], **QUIET)
