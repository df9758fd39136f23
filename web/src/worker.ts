/** The thread that does the work, so that the page can be used meanwhile. */

import { supportsFeature } from "@litertjs/core";

import { type Analysis, Detector } from "./detector";
import type { Loaded, Reply, Request, Tasks } from "./messages";
import { unpacked } from "./packed";
import { startRuntime } from "./runtime";
import { fetched } from "./stored";

let detector: Detector;
let analysis: Analysis;

function reply(message: Reply): void {
  self.postMessage(message);
}

/** Which build of the runtime this browser can run; threads need a page that is isolated from others. */
async function runtimeName(): Promise<string> {
  if (!(await supportsFeature("relaxedSimd"))) return "litert_wasm_compat_internal";
  return self.crossOriginIsolated ? "litert_wasm_threaded_internal" : "litert_wasm_internal";
}

async function load(): Promise<Loaded> {
  const get = (name: string): Promise<Uint8Array> => fetched(name, (bytes) => reply({ bytes }));
  const runtime = await runtimeName();
  const files = [`${runtime}.wasm.gz`, "pnet.gz", "rnet.gz", "onet.gz", "model.gz"];
  const [wasm, pnet, rnet, onet, model] = (await Promise.all(files.map(get))) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const { bundle, rates } = JSON.parse(new TextDecoder().decode(await get("model.json"))) as Pick<
    Loaded,
    "bundle" | "rates"
  >;
  await startRuntime(new URL(`${runtime}.js`, self.location.href).href, wasm);
  detector = new Detector(bundle, { pnet, rnet, onet }, unpacked(model));
  return { bundle, rates, runtime: [`${runtime}.js`, "model.json", ...files] };
}

const work: { [T in keyof Tasks]: (given: Tasks[T][0]) => Promise<Tasks[T][1]> } = {
  load,
  begin: async (kind) => {
    analysis = detector.analysis(kind);
    return null;
  },
  add: (frames) => analysis.add(frames),
  verdict: async () => analysis.verdict(),
  look: (frame) => detector.look(frame),
};

// One after the other: a graph is run by one task at a time.
let last: Promise<void> = Promise.resolve();
self.onmessage = ({ data: { number, task, given } }: MessageEvent<Request>) => {
  last = last.then(async () => {
    try {
      reply({ number, answer: await (work[task] as (given: unknown) => Promise<Tasks[keyof Tasks][1]>)(given) });
    } catch (error) {
      reply({ number, error: String(error) });
    }
  });
};
