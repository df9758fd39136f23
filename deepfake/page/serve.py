"""Opens the port: the page, its named calls, the plain HTTP route, and what a stranger must not be able to do."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from gradio.route_utils import FnIndexInferError
from gradio.routes import App
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from deepfake.errors import DeepfakeError
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.actions import Actions
from deepfake.page.answers import palette_css
from deepfake.page.arriving import Arriving, PromptProtocol
from deepfake.page.endpoints import Endpoints
from deepfake.page.examples import EXAMPLES
from deepfake.page.feedback import Feedback
from deepfake.page.fetching import Fetching
from deepfake.page.guard import FRAMED_BY, Doors, guarded, local_hosts
from deepfake.page.jobs import FILES, Jobs
from deepfake.page.language import I18N
from deepfake.page.layout import build
from deepfake.page.offers import Offers
from deepfake.page.place import UPLOADS, prune
from deepfake.page.rest import rest
from deepfake.page.uploads import MAX_BYTES, open_upload
from deepfake.pipeline import Detector
from deepfake.system.process import warm_up

STYLE = Path(__file__).with_name("style.css")
SCRIPT = Path(__file__).with_name("page.js")
# Fonts of the reader's own machine: Gradio's themes would fetch theirs from another server. Darker than the theme's own
# where it falls below a contrast of 4.5 to 1.
THEME = gr.themes.Soft(
    primary_hue="indigo", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
).set(
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_dark="*primary_600",
    button_primary_background_fill_hover_dark="*primary_700",
    block_label_text_color="*primary_800",
    block_title_text_color="*primary_800",
    block_label_text_color_dark="white",
    block_title_text_color_dark="white",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
)
QUEUE = 200
"""Clicks that may wait; the next is told that the page is busy."""
KEPT_S = 3600.0
"""How long files are kept, in seconds."""
SWEEP_S = 600.0
"""How often older ones are looked for."""
SESSIONS = 500
"""Browsers whose history is kept at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the page is served."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 7860
    """Port to listen on."""
    root_path: str = ""
    """Path under which a proxy shows it, such as `/faces`; empty for none."""
    share: bool = False
    """Whether to ask Gradio for a public link."""
    users: tuple[tuple[str, str], ...] = ()
    """As in `Doors`."""
    hosts: tuple[str, ...] = ()
    """As in `Doors`; without any, a server on this machine alone is asked under this machine's own names."""
    origins: tuple[str, ...] = ()
    """As in `Doors`."""
    space: bool = False
    """Whether it is a Hugging Face Space, which its host shows in a frame."""
    feedback: Path | None = None
    """Folder in which visitors may keep files that were judged wrongly; None to offer no such thing."""
    fetch: bool = False
    """Whether visitors may have files fetched from addresses of the public web."""
    mcp: bool = False
    """Whether assistants may call it by the Model Context Protocol."""
    stability: bool = False
    """As for `Detector`."""
    whole_picture: bool = False
    """As for `Detector`."""


def _doors(settings: Settings) -> Doors:
    """Who may come in."""
    return Doors(
        hosts=settings.hosts or local_hosts(settings.host, share=settings.share),
        origins=settings.origins,
        users=settings.users,
        framed_by=FRAMED_BY if settings.space else (),
    )


def _answer_forged(request: Request, error: Exception) -> Response:
    """What is said of a call that Gradio does not find; an error of another kind, or in another place, is one."""
    if not request.url.path.startswith("/gradio_api/"):
        raise error
    return JSONResponse({"detail": "There is nothing of that name to call."}, 404)


class _GuardedApp(App):
    """Gradio's application behind the doors: what it adds to itself is behind them, too."""

    def __init__(self, doors: Doors, *folders: Path) -> None:
        super().__init__()
        for kind in (FnIndexInferError, LookupError):
            self.add_exception_handler(kind, _answer_forged)
        self._doors = doors
        self._folders = folders

    def build_middleware_stack(self) -> ASGIApp:
        return guarded(Arriving(super().build_middleware_stack(), *self._folders), self._doors)


@contextlib.contextmanager
def serving(
    settings: Settings,
    folder: Path,
    model: Path = DEFAULT_MODEL,
    *,
    trust: bool = False,
    trust_list: Path | None = None,
) -> Iterator[str]:
    """Serves the page while the context is open; its value is the address.

    Args:
        settings: How.
        folder: Where uploads and what is drawn lie, from `own_folder`; every ten minutes what is older than an hour is
            deleted from it.
        model: Folder of the bundle that answers.
        trust: Whether to use a bundle whose files differ from their checksums.
        trust_list: As for `Detector`.

    Raises:
        BundleError: If the bundle cannot be used.
        DeepfakeError: If the port is taken, or the trust list cannot be used.
    """
    _check_port(settings.host, settings.port)
    warm_up()
    detector = Detector(
        model,
        trust=trust,
        opener=open_upload,
        trust_list=trust_list,
        stability=settings.stability,
        whole_picture=settings.whole_picture,
    )
    jobs = Jobs(detector)
    uploads, scratch = folder / UPLOADS, folder / "drawn"
    scratch.mkdir()
    offers = Offers(
        Feedback(settings.feedback, model) if settings.feedback else None, Fetching(uploads) if settings.fetch else None
    )
    page = build(Actions(jobs, model, scratch, uploads, EXAMPLES), Endpoints(jobs, uploads, EXAMPLES), offers)
    # Who is answered next, `Jobs` decides; a queue of Gradio's for each button would be one that a visitor can fill.
    page.queue(max_size=QUEUE, default_concurrency_limit=FILES)
    app = _GuardedApp(_doors(settings), uploads, scratch)
    # Before Gradio's own, which answer every address.
    app.router.routes += rest(jobs).routes
    _, local, public = page.launch(
        _app=app,
        server_name=settings.host,
        server_port=settings.port,
        root_path=settings.root_path or None,
        share=settings.share,
        mcp_server=settings.mcp,
        css=palette_css(),
        css_paths=[STYLE],
        theme=THEME,
        i18n=I18N,
        js=SCRIPT.read_text(encoding="utf-8"),
        head='<meta name="viewport" content="width=device-width, initial-scale=1">',
        max_file_size=max(MAX_BYTES.values()),
        state_session_capacity=SESSIONS,
        run_history=False,
        enable_monitoring=False,
        footer_links=["api"],
        pwa=True,
        ssr_mode=False,
        quiet=True,
        prevent_thread_lock=True,
    )
    # Read by uvicorn for each connection.
    page.server.config.http_protocol_class = PromptProtocol
    try:
        with _pruned(uploads, scratch):
            yield public or local
    finally:
        page.close(verbose=False)


def _check_port(host: str, port: int) -> None:
    """Raises a `DeepfakeError` if nothing can listen there: known before the networks are loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise DeepfakeError(
            f"Nothing can listen at port {port} of {host} ({error.strerror or error}). End what does so already, or "
            f"choose another: --port {port + 1 if port < 65535 else 7860}, or another --host."
        ) from error


@contextlib.contextmanager
def _pruned(*folders: Path) -> Iterator[None]:
    """Prunes the folders from time to time while the context is open."""
    closed = threading.Event()

    def sweep() -> None:
        while not closed.wait(SWEEP_S):
            for folder in folders:
                prune(folder, KEPT_S)

    sweeper = threading.Thread(target=sweep, name="prune", daemon=True)
    sweeper.start()
    try:
        yield
    finally:
        closed.set()
        sweeper.join()
