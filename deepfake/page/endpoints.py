"""What a program may call by name, through `gradio_client`, HTTP or MCP: plain values in, plain values out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from deepfake.errors import LimitError, MediaError, internal_fault
from deepfake.media import Kind
from deepfake.page.clients import asking_client
from deepfake.page.jobs import Jobs
from deepfake.page.rest import named
from deepfake.page.uploads import MAX_BATCH, check_upload, without_path
from deepfake.report.words import shown_name


class Endpoints:
    """The calls. Their docstrings are what a caller is shown.

    Args:
        jobs: Who answers.
        folders: Where a file must lie: in that of Gradio's uploads, or among the examples.
    """

    def __init__(self, jobs: Jobs, *folders: Path) -> None:
        self.jobs = jobs
        self.folders = folders

    def detect_image(self, file: gr.FileData) -> dict[str, Any]:
        """Judge one picture: were its faces manipulated or generated?

        Args:
            file: A JPEG, PNG, WebP, BMP, TIFF or HEIC picture of at most 25 MB.

        Returns:
            file, verdict (real, fake or inconclusive), reason, p_fake (0 to 1), thresholds, faces, credentials
            (signed statements about its origin, or null), origin (what its metadata say of it), model.
        """
        return self._judged(file, "picture")

    def detect_video(self, file: gr.FileData) -> dict[str, Any]:
        """Judge one video: were its faces manipulated or generated?

        Args:
            file: An MP4, MOV, AVI, MKV or WebM video of at most 250 MB and 10 minutes.

        Returns:
            file, verdict (real, fake or inconclusive), reason, p_fake (of the most suspicious
            person), thresholds, people and faces by time, credentials (signed statements about its
            origin, or null), origin (what its metadata say of it), model.
        """
        return self._judged(file, "video")

    def detect_batch(self, files: list[gr.FileData]) -> list[dict[str, Any]]:
        """Judge up to 20 pictures and videos.

        Args:
            files: Pictures and videos.

        Returns:
            One verdict a file, in order; {"file", "error"} for a file that could not be judged.
        """
        if not isinstance(files, list) or len(files) > MAX_BATCH:
            raise gr.Error(f"Give a list of at most {MAX_BATCH} files.")
        found = []
        for file in files:
            try:
                found.append(self._judged(file))
            except gr.Error as error:
                found.append({"file": shown_name(Path(_path_of(file)).name), "error": str(error.message)})
            except Exception as error:  # noqa: BLE001 A fault of this program costs its file, not those after it.
                found.append({"file": shown_name(Path(_path_of(file)).name), "error": internal_fault(error)})
        return found

    def _judged(self, file: Any, kind: Kind | None = None) -> dict[str, Any]:
        path = _path_of(file)
        try:
            with self.jobs.place(asking_client()) as client:
                check_upload(path, self.folders, kind)
                # Gradio's client would take a "path" for a file to download.
                values = named(self.jobs.run(path, client), Path(path).name, self.jobs.detector.model)
            return {"file": values.pop("path"), **values}
        except (MediaError, LimitError) as error:
            raise gr.Error(without_path(error, path), print_exception=False) from error


def _path_of(file: Any) -> str:
    """The path in what Gradio passes on for a file."""
    return str(file["path"] if isinstance(file, dict) else getattr(file, "path", file))
