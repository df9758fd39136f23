/** A .tflite file -> the same with a shape: the runtime of browsers takes no tensor whose size is open. */

import { SUBGRAPHS, Table, TENSORS } from "./flatbuffer";

const INPUTS = 1;
const OUTPUTS = 2;
const SHAPE = 0;
const OPEN_SHAPE = 7;

/**
 * A copy of a graph in which the open sides of inputs and outputs have a length. What lies between them is worked out
 * when the graph is set up.
 *
 * @param input Lengths of the input's open sides, in order.
 * @param output The same of every output.
 */
export function withShape(graph: Uint8Array, input: readonly number[], output: readonly number[]): Uint8Array {
  const table = new Table(graph.slice());
  const subgraph = table.entry(table.child(table.root, SUBGRAPHS), 0);
  const tensors = table.child(subgraph, TENSORS);
  for (const [list, lengths] of [
    [INPUTS, input],
    [OUTPUTS, output],
  ] as const) {
    for (const index of table.numbers(table.child(subgraph, list))) close(table, table.entry(tensors, index), lengths);
  }
  return table.bytes;
}

function close(table: Table, tensor: number, lengths: readonly number[]): void {
  const shape = table.child(tensor, SHAPE);
  const open = table.child(tensor, OPEN_SHAPE);
  let next = 0;
  table.numbers(open).forEach((length, side) => {
    if (length >= 0) return;
    const closed = lengths[next++];
    if (closed === undefined) throw new RangeError(`Every open side needs a length. Received: ${lengths.join(", ")}.`);
    table.write(shape, side, closed);
    table.write(open, side, closed);
  });
}
