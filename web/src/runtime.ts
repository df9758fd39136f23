/** Graphs of TensorFlow Lite, run by LiteRT.js on the processor. */

import { type CompiledModel, loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

import { withShape } from "./graph";

/** Shapes that a network stays set up for: two pyramids. */
const SHAPES_KEPT = 24;
/** Larger inputs are set up anew each time: what stays set up stays in memory. */
const MAX_KEPT_VALUES = 750_000;

export type Answers = Readonly<Record<string, Float32Array>>;

/**
 * Starts the runtime.
 *
 * @param script Address of its JavaScript, beside which it needs nothing.
 * @param wasm Its WebAssembly.
 */
export async function startRuntime(script: string, wasm: Uint8Array): Promise<void> {
  // Emscripten looks for its settings here, and runs the script again in every thread. What it writes is no error: those
  // are thrown.
  const printErr = (): void => {};
  (self as unknown as { Module: object }).Module = { wasmBinary: wasm, mainScriptUrlOrBlob: script, printErr };
  await loadLiteRt(script);
}

/** One graph, ready for several shapes: setting it up for one costs more than running it. */
export class Network {
  private readonly ready = new Map<string, CompiledModel>();

  /**
   * @param graph The .tflite file.
   * @param openSides Lengths of its open sides for an input of this shape: of the input, and of every output.
   */
  constructor(
    private readonly graph: Uint8Array,
    private readonly openSides: (shape: readonly number[]) => readonly [readonly number[], readonly number[]],
  ) {}

  /** The outputs by name. */
  async run(values: Float32Array, shape: readonly number[]): Promise<Answers> {
    const model = await this.modelOf(shape);
    const input = new Tensor(values, [...shape]);
    const found = (await model.run([input])) as Tensor[];
    const names = model.getOutputDetails().map(({ name }) => name);
    const answers = Object.fromEntries(
      found.map((tensor, place) => [names[place]!, tensor.toTypedArray() as Float32Array]),
    );
    for (const tensor of [input, ...found]) tensor.delete();
    if (values.length > MAX_KEPT_VALUES) model.delete();
    return answers;
  }

  private async modelOf(shape: readonly number[]): Promise<CompiledModel> {
    const key = shape.join();
    const known = this.ready.get(key);
    this.ready.delete(key);
    const model =
      known ?? (await loadAndCompile(withShape(this.graph, ...this.openSides(shape)), { accelerator: "wasm" }));
    if (shape.reduce((product, length) => product * length) <= MAX_KEPT_VALUES) this.ready.set(key, model);
    if (this.ready.size > SHAPES_KEPT) this.forgetOldest();
    return model;
  }

  private forgetOldest(): void {
    const [key, model] = this.ready.entries().next().value!;
    this.ready.delete(key);
    model.delete();
  }
}
