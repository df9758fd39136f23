"""Measures TFLite graphs beside each other, in turn, in one run: the time of one crop, and the size of the file.

    python benchmarks/graphs.py models/light-5/model.tflite models/light-5/model_int8.tflite

The first is what the others are compared with. A ratio of processor time hardly depends on what else the machine does.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from deepfake.report.metrics_tables import markdown_table

WARM_UP = 3
"""Rounds that do not count."""


class Graph:
    """A graph, and the times of its runs.

    Args:
        path: The TFLite file.
        threads: How many it may use.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.path = path
        self.wall_ms: list[float] = []
        self.processor_ms: list[float] = []
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
        self._run: Any = interpreter.get_signature_runner("serving_default")
        ((self._input, details),) = self._run.get_input_details().items()
        self.side = int(details["shape"][1])

    def run(self, crop: Any) -> None:
        """Runs it once, and keeps how long it took."""
        wall, processor = time.perf_counter(), time.process_time()
        self._run(**{self._input: crop})
        self.wall_ms.append((time.perf_counter() - wall) * 1000)
        self.processor_ms.append((time.process_time() - processor) * 1000)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("graphs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rounds", type=click.IntRange(min=1), default=50, show_default=True, help="Runs of each that count.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of each.")
def main(graphs: tuple[Path, ...], rounds: int, threads: int) -> None:
    """Measure GRAPHS beside each other.

    \b
    Example:
      python benchmarks/graphs.py models/light-5/model.tflite models/light-5/model_int8.tflite
    """
    known = [Graph(path, threads) for path in graphs]
    rng = np.random.default_rng(0)
    for number in range(WARM_UP + rounds):
        for graph in known:
            graph.run(rng.uniform(0, 255, (1, graph.side, graph.side, 3)).astype(np.float32))
            if number < WARM_UP:
                graph.wall_ms.clear()
                graph.processor_ms.clear()
    first = statistics.median(known[0].processor_ms)
    rows = []
    for graph in known:
        wall, processor = statistics.median(graph.wall_ms), statistics.median(graph.processor_ms)
        size = f"{graph.path.stat().st_size / 1e6:.2f}"
        rows.append([str(graph.path), size, f"{wall:.1f}", f"{processor:.1f}", f"{processor / first:.2f}"])
    print(markdown_table(["graph", "MB", "wall, ms a crop", "processor, ms a crop", "of the first"], rows))


if __name__ == "__main__":
    main()
