"""The texts that programs which draw pictures leave in them, and the names that they go by.

Known are texts and names that nothing but such a program writes. One that is not known here is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from deepfake.provenance.source_types import Says

_STEPS = re.compile(r"Steps: \d+, ")
_SETTINGS = 600
"""Within so many characters the settings of the web UI name more than their first."""
_MODEL = re.compile(r"\bModel: ([^,\n]{1,60})")


def _holds(*words: str) -> Callable[[str], bool]:
    return lambda text: all(word in text for word in words)


def _holds_settings(text: str) -> bool:
    """Whether a text ends in the settings of the web UI, which follow what was asked for."""
    # The last place alone, so that the time is linear in the length of whatever stands there.
    settings = text[max(text.rfind("Steps: "), 0) :][:_SETTINGS]
    return _STEPS.match(settings) is not None and any(
        name in settings for name in ("Sampler: ", "CFG scale: ", "Seed: ")
    )


def _always(text: str) -> bool:
    return True


_TEXTS: Mapping[str, tuple[tuple[str, Callable[[str], bool]], ...]] = {
    "parameters": (
        ("SwarmUI", _holds('"sui_image_params"')),
        ("Fooocus", _holds('"base_model"', '"prompt"')),
        ("Stable Diffusion web UI", _holds_settings),
    ),
    "prompt": (("ComfyUI", _holds('"class_type"')),),
    "workflow": (("ComfyUI", _holds('"nodes"')),),
    "invokeai_metadata": (("InvokeAI", _always),),
    "invokeai_graph": (("InvokeAI", _always),),
    "sd-metadata": (("InvokeAI", _always),),
    "dream": (("InvokeAI", _holds("-s", "-S")),),
    "fooocus_scheme": (("Fooocus", _always),),
}
"""By the name of a text in lower case: the programs that write it, and what it then holds."""
_COMMENTS = ("usercomment", "comment", "description", "imagedescription", "make", "model")
"""Names that hold anything, and in JPEG, WebP and MP4 the same texts as above."""
_NAMES: tuple[tuple[re.Pattern[str], Says], ...] = (
    (re.compile(r"\bedited with google ai\b", re.IGNORECASE), Says.AI_PART),
    (
        re.compile(
            r"\b(?:AI[- ]generated|made with google ai|Adobe Firefly|Black Forest Labs|ComfyUI|DALL[-·. ]?E|"
            r"Draw Things|Fooocus|Ideogram|InvokeAI|Leonardo\.ai|Midjourney|NovelAI|OpenAI|RunwayML|Stability AI|"
            r"Stable[- ]?Diffusion|SwarmUI)\b",
            re.IGNORECASE,
        ),
        Says.AI_MADE,
    ),
)
_NAMED_IN = ("software", "creatortool", "make", "model", "source", "credit", "title", "encoder", "generator")
"""Names of statements that name a program. Descriptions are not among them: they may be about one."""
_MIDJOURNEY = re.compile(r"\bJob ID: [0-9a-f]{8}-[0-9a-f]{4}-")


def written_by_generator(name: str, text: str) -> str | None:
    """The program whose settings a text is, with the model that it names; None if it is none that is known.

    Args:
        name: Of the text.
        text: The text.

    Example:

    >>> written_by_generator("parameters", "a cat\\nSteps: 20, Sampler: Euler a, CFG scale: 7, Model: sd_xl")
    'Stable Diffusion web UI, sd_xl'
    """
    name = name.lower()
    if name in _COMMENTS:
        return _in_comment(name, text)
    program = next((program for program, fits in _TEXTS.get(name, ()) if fits(text)), None)
    model = _MODEL.search(text) if program == "Stable Diffusion web UI" else None
    return f"{program}, {model[1]}" if model else program


def _in_comment(name: str, text: str) -> str | None:
    if name in ("description", "imagedescription") and _MIDJOURNEY.search(text):
        return "Midjourney"
    # ComfyUI puts its texts into the tags of a camera, with their names before them.
    own, _, rest = text.partition(":")
    if own in ("prompt", "workflow") and (found := written_by_generator(own, rest)):
        return found
    if '"uc"' in text and '"steps"' in text:
        return "NovelAI"
    own = "prompt" if "class_type" in text else "parameters"
    return written_by_generator(own, text.replace('\\"', '"'))


def named_generator(name: str, text: str) -> Says | None:
    """What a statement says of a file's origin if it names a program that draws pictures; None if it names none.

    Example:

    >>> str(named_generator("Software", "NovelAI")), named_generator("Software", "GIMP 3.0")
    ('ai_made', None)
    """
    if name.lower() not in _NAMED_IN:
        return None
    return next((says for pattern, says in _NAMES if pattern.search(text)), None)
