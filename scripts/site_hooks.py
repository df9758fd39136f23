"""What the site shows and docs/ does not hold: the shipped model's name, measures and card, the project's documents.

MkDocs loads this file (`hooks` in mkdocs.yml). In a page, `{{ model }}` becomes the name of the shipped model,
`{{ answers }}` the shares of its right, wrong and open answers, and `{{ measures }}` its tables of quality, so that no
number is written by hand. `{{ try }}` leads to the page that judges in the visitor's browser, where that was built; its
page has more of these, of what was measured of it.
"""

from __future__ import annotations

import json
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


BUILT = ROOT / "web" / "dist"
"""Where `make try` puts the page that judges in the visitor's browser."""
MEASURED = ROOT / "web" / "measured.json"
"""What benchmarks/in_browser.py measured of it."""


class Examples(griffe.Extension):
    """Marks the examples in docstrings as code: Markdown would take `>>>` for a quotation."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Puts fences around every block that begins with a prompt."""
        if obj.docstring:
            fenced = r"```pycon\n\g<0>\n```"
            obj.docstring.value = re.sub(r"^>>> .*(?:\n.+)*", fenced, obj.docstring.value, flags=re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the documents, the plots of the model's card, and the page that judges in the visitor's browser."""
    sources = dict(DOCUMENTS)
    for plot in sorted((DEFAULT_MODEL / "plots").glob("*.png")):
        sources[f"plots/{plot.name}"] = plot
    sources |= {f"try/{path.name}": path for path in sorted(BUILT.glob("*"))}
    for name, path in sources.items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Fills in what is generated, and points the documents' links at pages of the site."""
    if page.file.src_uri in DOCUMENTS:
        return re.sub(r"(?<!!)\[([^]]+)\]\(([^)#:]+)\)", lambda link: _moved(link, files), markdown)
    markdown = markdown.replace("{{ model }}", DEFAULT_MODEL.name)
    if "{{ browser }}" in markdown:
        found = json.loads(MEASURED.read_text(encoding="utf-8"))
        markdown = markdown.replace("{{ try }}", try_link(BUILT)).replace("{{ browser }}", browser_tables(found))
        markdown = markdown.replace("{{ megabytes }}", f"{found['sent_bytes'] / 1e6:.0f}")
        markdown = markdown.replace("{{ chromium }}", found["chromium"]).replace("{{ cores }}", str(found["cores"]))
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


def try_link(built: Path) -> str:
    """Where the page is that judges in the visitor's browser, as HTML; what builds it where it was not built."""
    if (built / "index.html").exists():
        return '<a class="md-button md-button--primary" href="../try/">Try it</a>'
    return "This copy of the documentation was built without the page: `make try`, before `make site`, adds it."


def browser_tables(found: dict[str, Any]) -> str:
    """The same files judged in Python and in a browser, and how fast, as Markdown."""
    with_faces = [one for one in found["one_thread"] if one["faces"]]
    lines = [
        "| file | in Python | in the browser | boxes differ by | p_fake of a face differs by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in found["one_thread"]:
        answers = " | ".join(_answer_of(one[side]) for side in ("python", "browser"))
        apart = f"{one['box_px']:.1f} px | {one['face_p_fake']:.4f}" if one["faces"] else "|"
        lines.append(f"| `{one['file']}` | {answers} | {apart} |")
    names = " | ".join(f"`{one['file']}`" for one in with_faces)
    lines += ["", f"| faces a second of processor time | {names} |", "| --- |" + " --- |" * len(with_faces)]
    for name, part, side in (
        ("Python", "one_thread", "python"),
        ("browser, one thread", "one_thread", "browser"),
        ("browser, threads", "threads", "browser"),
    ):
        rates = (f"{one['faces'] / one[side]['processor_s']:.1f}" for one in found[part] if one["faces"])
        lines.append(f"| {name} | {' | '.join(rates)} |")
    return "\n".join(lines)


def _answer_of(side: dict[str, Any]) -> str:
    return side["verdict"] if side["p_fake"] is None else f"{side['verdict']}, p_fake {side['p_fake']:.3f}"


def _moved(link: re.Match[str], files: Files) -> str:
    """A link to another document; only its words where the site holds no such page."""
    words, target = link[1], link[2]
    pages = {str(path.relative_to(ROOT)): name for name, path in DOCUMENTS.items() if path.is_relative_to(ROOT)}
    name = pages.get(target, target.removeprefix("docs/"))
    return f"[{words}]({name})" if files.get_file_from_path(name) else f"`{target}`"
