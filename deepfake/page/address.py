"""The field for an address of the web, on the tabs for one picture and for one video."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from deepfake.errors import FetchError, LimitError
from deepfake.page.answers import busy, notice
from deepfake.page.clients import asking_client
from deepfake.page.fetching import Fetching
from deepfake.page.history import Entry
from deepfake.page.judging import TabActions
from deepfake.page.language import words_for
from deepfake.page.widgets import Asked, Shown


class AddressActions:
    """Fetches a file for one tab, then does what that tab does with a file.

    Args:
        own: What the tab shows.
        chosen: The widget in which uploads stand.
        fetching: What fetches.
    """

    def __init__(self, own: TabActions, chosen: Any, fetching: Fetching) -> None:
        self._own = own
        self._chosen = chosen
        self._fetching = fetching

    def judge_address(
        self,
        address: str,
        entries: list[Entry],
        asked: Asked,
        smallest: float | None = None,
        request: gr.Request | None = None,
    ) -> Iterator[Shown]:
        """That a file is being fetched, its answer, and then the file where uploads stand, if it is still asked for."""
        said, say, address = self._own.widgets.said, words_for(request), address.strip()
        asked.about = address
        # The widget gets a value at every step, and the file at the last: a widget that is left as it is Gradio makes
        # anew, which then opens files by itself; and of a file that is left as it is the browser loses the path.
        none = {self._chosen: None}
        yield self._own.without_answer() | none | {said: busy(say, "fetch.busy", "fetch.busy_text")}
        try:
            path = str(self._fetching.fetched(address, self._own.kind, asking_client()))
        except (FetchError, LimitError) as error:
            if asked.about == address:
                yield self._own.without_answer() | none | {said: notice(say("fetch.refused"), str(error), say)}
            return
        if asked.about != address:
            return
        for shown in self._own.judge(path, entries, asked, smallest, request):
            yield shown | none
        if asked.about == path:
            yield {self._chosen: path}
