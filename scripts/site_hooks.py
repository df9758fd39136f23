"""What the site shows and docs/ does not hold: the shipped model's name, measures and card, the project's documents.

MkDocs loads this file (`hooks` in mkdocs.yml). In a page, `{{ model }}` becomes the name of the shipped model,
`{{ answers }}` the shares of its right, wrong and open answers, and `{{ measures }}` its tables of quality, so that no
number is written by hand.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # The command `mkdocs` does not find the package that lies beside mkdocs.yml.

from deepfake.model.bundle import DEFAULT_MODEL  # noqa: E402
from deepfake.model.metrics import Metrics, read_metrics  # noqa: E402
from deepfake.report.metrics_tables import quality_tables  # noqa: E402

DOCUMENTS = {
    "changelog.md": ROOT / "CHANGELOG.md",
    "contributing.md": ROOT / "CONTRIBUTING.md",
    "security.md": ROOT / "SECURITY.md",
    "model-card.md": DEFAULT_MODEL / "README.md",
}
"""Pages of the site that lie elsewhere in the repository."""


class Examples(griffe.Extension):
    """Marks the examples in docstrings as code: Markdown would take `>>>` for a quotation."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Puts fences around every block that begins with a prompt."""
        if obj.docstring:
            fenced = r"```pycon\n\g<0>\n```"
            obj.docstring.value = re.sub(r"^>>> .*(?:\n.+)*", fenced, obj.docstring.value, flags=re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the documents, and the plots of the model's card."""
    sources = dict(DOCUMENTS)
    for plot in sorted((DEFAULT_MODEL / "plots").glob("*.png")):
        sources[f"plots/{plot.name}"] = plot
    for name, path in sources.items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Fills in what is generated, and points the documents' links at pages of the site."""
    if page.file.src_uri in DOCUMENTS:
        return re.sub(r"(?<!!)\[([^]]+)\]\(([^)#:]+)\)", lambda link: _moved(link, files), markdown)
    markdown = markdown.replace("{{ model }}", DEFAULT_MODEL.name)
    if "{{ measures }}" in markdown or "{{ answers }}" in markdown:
        metrics = read_metrics(DEFAULT_MODEL)
        markdown = markdown.replace("{{ measures }}", quality_tables(metrics))
        markdown = markdown.replace("{{ answers }}", answers_table(metrics))
    return markdown


def answers_table(metrics: Metrics) -> str:
    """How often each answer was given to reals and to fakes, as Markdown: what is missed beside what is found."""
    lines = [
        "| | reals called fake | reals left open | fakes called fake | fakes called real | fakes left open |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, part in (
        ("single faces, of the kinds it learned", metrics.test),
        ("whole clips, of kinds it did not", metrics.clips),
    ):
        if part and part.all.real_called and part.all.fake_called:
            real, fake, count = part.all.real_called, part.all.fake_called, part.all.count
            wanted = (real.fake, real.inconclusive, fake.fake, fake.real, fake.inconclusive)
            shares = " | ".join(f"{answer.share:.0%}" for answer in wanted)
            lines.append(f"| {name} ({count.real} real, {count.fake} fake) | {shares} |")
    return "\n".join(lines)


def _moved(link: re.Match[str], files: Files) -> str:
    """A link to another document; only its words where the site holds no such page."""
    words, target = link[1], link[2]
    pages = {str(path.relative_to(ROOT)): name for name, path in DOCUMENTS.items() if path.is_relative_to(ROOT)}
    name = pages.get(target, target.removeprefix("docs/"))
    return f"[{words}]({name})" if files.get_file_from_path(name) else f"`{target}`"
