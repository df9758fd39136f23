"""Which language a visitor reads: what the browser asks for, in the widgets and in what the server writes."""

from __future__ import annotations

import gradio as gr

from deepfake.report.catalogue import LANGUAGES, Catalogue, best_language, catalogue

I18N = gr.I18n(**{language: catalogue(language).words for language in LANGUAGES})
"""The catalogue, as the widgets read it in the browser."""


def label(key: str) -> gr.I18nData:
    """The words of a widget, by their key.

    Raises:
        KeyError: If there is no such key.
    """
    catalogue().words[key]  # Gradio would show the key.
    return I18N(key)


def words_for(request: gr.Request | None) -> Catalogue:
    """The words for whoever sent a request; English without one."""
    return catalogue(best_language(request.headers.get("accept-language", "")) if request else "en")
