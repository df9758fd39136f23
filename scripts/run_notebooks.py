"""Executes the notebooks and stores them with small pictures: python scripts/run_notebooks.py [01 02 ...].

What a notebook stores goes into git: pictures are shrunk, what was said on stderr and where it ran are left out.
"""

from __future__ import annotations

import base64
import io
import os
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
WIDEST = 1000
"""Pixels; wider photographs are shrunk."""
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def smaller(png: bytes) -> tuple[str, bytes]:
    """The picture as a PNG of few colours where that is nearly the same, or as a JPEG where that is much smaller."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    few = image.quantize(64, dither=Image.Dither.NONE)
    difference = np.abs(np.asarray(few.convert("RGB"), int) - np.asarray(image, int)).mean()
    exact = _encoded(few if difference < 1 else image, "PNG")
    image.thumbnail((WIDEST, image.height))
    photograph = _encoded(image, "JPEG")
    return ("image/jpeg", photograph) if len(photograph) < 0.75 * len(exact) else ("image/png", exact)


def _encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, optimize=True, quality=78)
    return buffer.getvalue()


def clean(notebook: nbformat.NotebookNode) -> None:
    """Shrinks the pictures of an executed notebook and removes what belongs to the machine."""
    notebook.metadata = nbformat.from_dict(KERNEL)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            if "image/png" not in output.get("data", {}):
                continue
            kind, content = smaller(base64.b64decode(output.data.pop("image/png")))
            size = output.metadata.pop("image/png", None)
            output.data[kind] = base64.b64encode(content).decode()
            output.metadata = nbformat.from_dict({kind: size} if size else {})


def main(chosen: list[str]) -> None:
    """Executes those whose names begin so, or all."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ.pop("DEEPFAKE_DATA", None)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if chosen and not path.name.startswith(tuple(chosen)):
            continue
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["TMPDIR"] = scratch
            place = {"metadata": {"path": str(NOTEBOOKS)}}
            NotebookClient(notebook, timeout=900, kernel_name="python3", resources=place).execute()
        clean(notebook)
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
