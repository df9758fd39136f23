// Writes the page to a folder: node build.mjs [folder], by default dist, from which the documentation takes it.
//
// Everything that it needs comes from this repository and from node_modules: the networks of models/, the words of
// deepfake/report/languages/, the files of examples/, the runtime of @litertjs/core.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { parse } from "smol-toml";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const OUT = resolve(process.argv[2] ?? join(HERE, "dist"));
const MODEL = readFileSync(join(ROOT, "deepfake/model/bundle.py"), "utf8").match(
  /^DEFAULT_MODEL = MODELS \/ "(.+)"$/m,
)[1];
const LANGUAGES = join(ROOT, "deepfake/report/languages");
const RUNTIME = join(HERE, "node_modules/@litertjs/core/wasm");
const RUNTIMES = ["litert_wasm_internal", "litert_wasm_compat_internal", "litert_wasm_threaded_internal"];
// Of the catalogue, what this page says.
const SECTIONS = [
  "about",
  "answer",
  "errs",
  "heat",
  "limits",
  "note",
  "page",
  "reason",
  "sentence",
  "timeline",
  "truth",
  "try",
  "where",
];
// Smaller constants stay as they are: filters whose sum must be zero are among them.
const LEAST_HALVED = 1024;

const written = createHash("sha256");
const sizes = {};

function put(name, content) {
  written.update(name).update(content);
  writeFileSync(join(OUT, name), content);
}

function putPacked(name, content) {
  const bytes = gzipSync(content, { level: 9 });
  put(name, bytes);
  sizes[name] = bytes.length;
}

function read(...path) {
  return readFileSync(join(ROOT, ...path));
}

async function module(path) {
  const { outputFiles } = await build({ entryPoints: [join(HERE, path)], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

function words() {
  const languages = readdirSync(LANGUAGES).map((file) => file.replace(".toml", ""));
  for (const language of languages) {
    const catalogue = parse(readFileSync(join(LANGUAGES, `${language}.toml`), "utf8"));
    const entries = SECTIONS.flatMap((section) =>
      Object.entries(catalogue[section]).map(([key, text]) => [`${section}.${key}`, text]),
    );
    put(`words-${language}.json`, JSON.stringify(Object.fromEntries(entries)));
  }
  return languages;
}

async function networks() {
  const { floatRuns } = await module("src/weights.ts");
  const { packed } = await module("src/packed.ts");
  for (const name of ["pnet", "rnet", "onet"]) putPacked(`${name}.gz`, read("models/mtcnn", `${name}.tflite`));
  const graph = new Uint8Array(read("models", MODEL, "model.tflite"));
  putPacked("model.gz", packed(graph, floatRuns(graph, LEAST_HALVED)));
  const { name, crop, min_face_px, min_frames, calibration, experts } = JSON.parse(
    read("models", MODEL, "bundle.json"),
  );
  const metrics = JSON.parse(read("models", MODEL, "metrics.json"));
  const rates = { picture: calledOf(metrics.test?.all), video: calledOf(metrics.clips?.all) };
  const bundle = { name, crop, min_face_px, min_frames, calibration, experts: experts ?? [] };
  put("model.json", JSON.stringify({ bundle, rates }));
}

function calledOf(all) {
  if (!all?.real_called || !all.fake_called) return null;
  const called = (label) => ({
    count: all.count[label],
    shares: Object.fromEntries(Object.entries(all[`${label}_called`]).map(([answer, { share }]) => [answer, share])),
  });
  return { real: called("real"), fake: called("fake") };
}

function licences() {
  const parts = [
    ["This page", read("LICENSE")],
    ["The face detector (MTCNN)", read("models/mtcnn/LICENSE")],
    [`The detector's weights (${MODEL}): for research alone, on the terms of the data that its card names`, ""],
    // The package of LiteRT.js names its licence without its text, which is that of the face mesh.
    ["LiteRT.js, Copyright Google LLC", read("models/face_mesh/LICENSE")],
  ];
  put("LICENSES.txt", parts.map(([title, text]) => `${title}\n\n${text}`).join("\n\n"));
}

function runtime() {
  for (const name of RUNTIMES) {
    put(`${name}.js`, readFileSync(join(RUNTIME, `${name}.js`)));
    putPacked(`${name}.wasm.gz`, readFileSync(join(RUNTIME, `${name}.wasm`)));
  }
}

async function scripts(languages) {
  // A browser fetches one build of the runtime.
  const fetched = Object.fromEntries(Object.entries(sizes).filter(([name]) => !/compat|threaded/.test(name)));
  const define = { __LANGUAGES__: JSON.stringify(languages), __SIZES__: JSON.stringify(fetched) };
  const options = { bundle: true, minify: true, target: "es2022", legalComments: "linked", define };
  const entry = (name) => join(HERE, "src", `${name}.ts`);
  // The runtime of a worker is loaded by importScripts, which modules lack.
  const all = [
    ["page", "esm"],
    ["worker", "iife"],
    ["service_worker", "iife"],
  ];
  const draft = (version) =>
    all.map(([name, format]) =>
      build({
        ...options,
        entryPoints: [entry(name)],
        format,
        outfile: join(OUT, `${name}.js`),
        define: { ...define, __VERSION__: JSON.stringify(version) },
      }),
    );
  await Promise.all(draft(""));
  for (const [name] of all) written.update(readFileSync(join(OUT, `${name}.js`)));
  await Promise.all(draft(written.digest("hex").slice(0, 12)));
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
for (const name of readdirSync(join(HERE, "static"))) put(name, readFileSync(join(HERE, "static", name)));
for (const name of readdirSync(join(ROOT, "examples"))) copyFileSync(join(ROOT, "examples", name), join(OUT, name));
const languages = words();
await networks();
runtime();
licences();
await scripts(languages);
