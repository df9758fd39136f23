/**
 * A .tflite file of float32 <-> the same with its large weights in half precision, to be sent.
 *
 * The graph itself stays one of float32: the runtime of browsers widens a graph of float16 anew for every face, which takes
 * four times as long as the rest. Layout, in 32-bit words: the number of weights' runs, where each begins and how many
 * values it has, the length of the graph; then the graph with zeros in these runs, then their values.
 */

export interface Run {
  readonly start: number;
  readonly count: number;
}

const WORD = 4;

export function packed(graph: Uint8Array, runs: readonly Run[]): Uint8Array {
  const head = 2 * WORD * (runs.length + 1);
  const bytes = new Uint8Array(head + graph.length + runs.reduce((sum, { count }) => sum + 2 * count, 0));
  const view = new DataView(bytes.buffer);
  const source = new DataView(graph.buffer, graph.byteOffset);
  view.setUint32(0, runs.length, true);
  view.setUint32(WORD, graph.length, true);
  bytes.set(graph, head);
  let end = head + graph.length;
  runs.forEach(({ start, count }, place) => {
    view.setUint32(2 * WORD * (place + 1), start, true);
    view.setUint32(2 * WORD * (place + 1) + WORD, count, true);
    bytes.fill(0, head + start, head + start + WORD * count);
    for (let k = 0; k < count; k++, end += 2)
      view.setUint16(end, halfOf(source.getFloat32(start + WORD * k, true)), true);
  });
  return bytes;
}

export function unpacked(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const runs = view.getUint32(0, true);
  const length = view.getUint32(WORD, true);
  const head = 2 * WORD * (runs + 1);
  const graph = bytes.slice(head, head + length);
  const target = new DataView(graph.buffer);
  let end = head + length;
  for (let place = 1; place <= runs; place++) {
    const start = view.getUint32(2 * WORD * place, true);
    const count = view.getUint32(2 * WORD * place + WORD, true);
    for (let k = 0; k < count; k++, end += 2)
      target.setFloat32(start + WORD * k, floatOf(view.getUint16(end, true)), true);
  }
  return graph;
}

/** The nearest number of half precision (IEEE 754 binary16), as its 16 bits. */
export function halfOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (!(size < 65520)) throw new RangeError(`A weight must be below 65520 to be halved. Received: ${value}.`);
  const exponent = Math.max(Math.floor(Math.log2(size || 2 ** -24)), -14);
  const steps = size / 2 ** (exponent - 10);
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  // Of a number below 2^-14 the leading bit is no longer implied; one that is rounded up to the next power carries by itself.
  return sign | (rounded + (rounded < 1024 && exponent === -14 ? 0 : (exponent + 14) * 1024));
}

export function floatOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const rest = half & 0x3ff;
  return sign * (exponent ? (1024 + rest) * 2 ** (exponent - 25) : rest * 2 ** -24);
}
