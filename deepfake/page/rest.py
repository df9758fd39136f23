"""The plain HTTP route, for programs that know no Gradio: `POST /predict` with one file, answered in JSON."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import fastapi
from fastapi.concurrency import run_in_threadpool
from fastapi_offline import FastAPIOffline
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from deepfake import __version__
from deepfake.errors import LimitError, MediaError
from deepfake.faces.mtcnn import FaceSettings
from deepfake.page.jobs import Jobs
from deepfake.page.uploads import MAX_BYTES, check_upload, without_path
from deepfake.records import Verdict
from deepfake.report.files import as_values
from deepfake.report.words import shown_name

MAX_BODY = MAX_BYTES["video"] + 1_000_000
"""Largest body of a request: the largest file, and what multipart adds."""
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "Picture or video."},
                        "min_face": {
                            "type": "number",
                            "exclusiveMinimum": 0,
                            "maximum": 1,
                            "default": FaceSettings().min_face_share,
                            "description": "Smallest face searched for, as a share of the picture's short side.",
                        },
                    },
                }
            }
        },
    }
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "No file in the form field `file`, or `min_face` is no share."},
    401: {"description": "The server asks for a user and a password."},
    411: {"description": "The request does not say how long it is."},
    413: {"description": "The file is too large or too long."},
    422: {"description": "The file cannot be read; `detail` says why and what to do."},
    429: {"description": "Too many of your files are being looked at, or you ask too often; try again."},
    503: {"description": "Too many files are being looked at; try again."},
    504: {"description": "The file took too long."},
}


def rest(jobs: Jobs) -> fastapi.FastAPI:
    """The routes `/predict`, `/health`, `/docs` and `/openapi.json`.

    Args:
        jobs: Who answers.
    """
    # Its documentation comes with this machine's own scripts: without a network, and telling nobody else.
    app = FastAPIOffline(
        title="deepfake",
        version=__version__,
        description="Tells whether the faces in a picture or a video were manipulated or generated.",
        redoc_url=None,
    )

    @app.post("/predict/", include_in_schema=False)
    @app.post("/predict", responses=_ERRORS, openapi_extra=_FORM)
    async def predict(request: fastapi.Request) -> dict[str, Any]:
        """The verdict on one picture or video: what `python -m deepfake detect --json` prints."""
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            raise fastapi.HTTPException(411, "Send a Content-Length, as `curl -F file=@photo.jpg` does.")
        if int(length) > MAX_BODY:
            raise fastapi.HTTPException(413, f"A file may have at most {MAX_BYTES['video'] // 10**6} MB here.")
        try:
            async with request.form(max_files=1, max_fields=8) as form:
                sent = form.get("file")
                if not isinstance(sent, UploadFile):
                    raise fastapi.HTTPException(
                        400, "Send one file in the form field `file`: curl -F file=@photo.jpg URL/predict"
                    )
                client = request.client.host if request.client else ""
                return await run_in_threadpool(_judged, jobs, sent, client, _share_in(form.get("min_face")))
        except MultiPartException as error:
            raise fastapi.HTTPException(400, f"The form cannot be read: {error.message}") from error

    @app.get("/health")
    def health() -> dict[str, str]:
        """Says that the server is up, and which model answers."""
        return {"status": "ok", "model": jobs.detector.bundle.model.name, "version": __version__}

    return app


def named(verdict: Verdict, name: str, model: Path) -> dict[str, Any]:
    """What `detect --json` prints, with the file's own name in the place of the server's path."""
    return as_values(verdict, shown_name(name), model)


def _share_in(sent: UploadFile | str | None) -> float | None:
    """The smallest face that a form asks for; None where it does not."""
    if sent is None:
        return None
    try:
        return FaceSettings(min_face_share=float(str(sent))).min_face_share
    except ValueError as error:
        said = f"`min_face` is a share of the short side, above 0 and at most 1. Received: {str(sent)[:40]}."
        raise fastapi.HTTPException(400, said) from error


def _judged(jobs: Jobs, sent: UploadFile, client: str, min_face_share: float | None) -> dict[str, Any]:
    name = shown_name(sent.filename or "file")
    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        # The sender's name ends up in no path but by its extension.
        path = Path(folder) / f"upload{Path(name).suffix.lower()[:8]}"
        with path.open("wb") as file:
            shutil.copyfileobj(sent.file, file)
        try:
            with jobs.place(client):
                check_upload(path, [Path(folder)])
                return named(jobs.run(path, client, min_face_share), name, jobs.detector.model)
        except MediaError as error:
            raise fastapi.HTTPException(422, without_path(error, path).replace(path.name, name)) from error
        except LimitError as error:
            retry = {"Retry-After": "60"} if error.status in (LimitError.BUSY, LimitError.TOO_MANY) else None
            raise fastapi.HTTPException(error.status, str(error), retry) from error
