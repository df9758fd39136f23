"""The notebooks: what is stored is sound, and every cell runs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NAMES = ("01_explore_data", "02_train", "03_evaluate_and_explain", "04_export_and_phone")
MOST_BYTES = 500_000
ELSEWHERE = re.compile(r"(?<![\w.])/(?:work|root|tmp|home|Users)\b")
PICTURES = {"image/png", "image/jpeg"}


@pytest.fixture(params=NAMES)
def path(request):
    return FOLDER / f"{request.param}.ipynb"


@pytest.fixture
def notebook(path):
    nbformat = pytest.importorskip("nbformat")
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def test_the_list_is_complete():
    assert sorted(file.stem for file in FOLDER.glob("*.ipynb")) == list(NAMES)


def test_a_notebook_is_valid_and_small(path, notebook):
    import nbformat

    nbformat.validate(notebook)
    assert path.stat().st_size < MOST_BYTES
    assert notebook.cells[0].cell_type == "markdown"


def test_a_notebook_uses_the_package_and_defines_nothing(notebook):
    nodes = [node for cell in code_cells(notebook) for node in ast.walk(ast.parse(cell.source))]
    imported = {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    assert "deepfake" in imported
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert not [ast.unparse(node) for node in nodes if isinstance(node, definitions)]


def test_stored_outputs_are_whole_and_show_pictures(notebook):
    assert all(cell.execution_count for cell in code_cells(notebook))
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    assert not [output for output in outputs(notebook) if output.output_type == "stream" and output.name == "stderr"]
    assert [output for output in outputs(notebook) if PICTURES & set(output.get("data", {}))]


def test_nothing_names_the_machine_it_ran_on(notebook):
    texts = [cell.source for cell in notebook.cells]
    for output in outputs(notebook):
        texts.append(output.get("text", ""))
        texts += [str(value) for kind, value in output.get("data", {}).items() if kind not in PICTURES]
    assert not [text for text in texts if ELSEWHERE.search(text)]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@pytest.mark.slow
def test_a_notebook_runs(path, notebook, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("DEEPFAKE_DATA", raising=False)
    where = {"metadata": {"path": str(FOLDER)}}
    client = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where)
    client.execute()
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
