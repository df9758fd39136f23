/** A .tflite file -> where its large weights of float32 lie, to be sent in half precision. */

import { BUFFERS, SUBGRAPHS, Table, TENSORS } from "./flatbuffer";
import type { Run } from "./packed";

const TYPE = 1;
const BUFFER = 2;
const DATA = 0;
const BYTES = 4;

/** The weights of float32 of at least so many values, each once, in order. */
export function floatRuns(graph: Uint8Array, least: number): Run[] {
  const table = new Table(graph);
  const buffers = table.child(table.root, BUFFERS);
  const subgraph = table.entry(table.child(table.root, SUBGRAPHS), 0);
  const tensors = table.child(subgraph, TENSORS);
  const runs = new Map<number, Run>();
  for (let index = 0; index < table.length(tensors); index++) {
    const tensor = table.entry(tensors, index);
    // The type of float32 is the default, so it is not written; nor is the buffer of what has no constant value.
    if (table.field(tensor, TYPE) || !table.field(tensor, BUFFER)) continue;
    const buffer = table.entry(buffers, table.length(table.field(tensor, BUFFER)));
    if (!table.field(buffer, DATA)) continue;
    const data = table.child(buffer, DATA);
    const count = table.length(data) / BYTES;
    if (count >= least) runs.set(data, { start: data + BYTES, count });
  }
  return [...runs.values()].sort((one, other) => one.start - other.start);
}
