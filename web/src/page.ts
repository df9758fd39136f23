/** The page: what a visitor gives is judged here, and nowhere else. */

import { notice } from "./answer_view";
import { Worked } from "./ask";
import { element, found } from "./element";
import { Judge } from "./judge";
import { chosenLanguage, translate } from "./language";
import { watch } from "./live";
import { Stage } from "./stage";
import { keep, SIZES } from "./stored";

const SHELL = ["./", "page.js", "worker.js", "style.css", "icon.svg", "page.webmanifest", "LICENSES.txt"];
const EXAMPLES = ["portrait.jpg", "self_blend.jpg", "no_face.jpg", "half_fake.mp4"];
const MEGABYTE = 1e6;

const language = await chosenLanguage(navigator.languages);
translate(language);
const { say } = language;
const stage = new Stage(say);
const total = Object.values(SIZES).reduce((sum, size) => sum + size, 0);
let bytes = 0;
const worked = new Worked((count) => {
  bytes += count;
  const megabytes = { done: (bytes / MEGABYTE).toFixed(1), total: (total / MEGABYTE).toFixed(1) };
  found("state").textContent = say("try.loading", megabytes);
});
const loaded = worked.ask("load", null);
const judge = new Judge(worked, loaded, stage);
let running = new AbortController();

loaded.then(async ({ runtime, bundle }) => {
  found("state").textContent = say("try.ready", { model: bundle.name });
  if (!("serviceWorker" in navigator)) return;
  try {
    await keep([...SHELL, ...EXAMPLES, language.file, ...runtime]);
    await navigator.serviceWorker.register("service_worker.js");
    await navigator.serviceWorker.ready;
    found("state").textContent = say("try.offline", { model: bundle.name });
  } catch (error) {
    // Where there is no room to keep the files, or none may be kept, the page works all the same while there is a network.
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
  }
}, failed);

function failed(error: unknown): void {
  found("state").textContent = "";
  stage.tell(notice("error", say("try.failed"), error instanceof Error ? error.message : String(error)));
}

/** Does one thing, and ends what was done before. */
function begin(work: (signal: AbortSignal) => Promise<void>, { live = false } = {}): void {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  stage.begin({ live });
  work(signal).catch((error: unknown) => {
    if (!signal.aborted) stage.fail(error);
  });
}

async function example(name: string): Promise<File> {
  const content = await (await fetch(name)).blob();
  return new File([content], name, { type: content.type });
}

function give(file: File | null | undefined): void {
  if (file) begin((signal) => judge.judge(file, signal));
}

const input = found<HTMLInputElement>("file");
input.addEventListener("change", () => {
  give(input.files?.[0]);
  input.value = "";
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  give(event.dataTransfer?.files[0]);
});
document.addEventListener("paste", (event) => give(event.clipboardData?.files[0]));
found("camera").addEventListener("click", () =>
  begin((signal) => watch(worked, loaded, stage, signal), { live: true }),
);
found("stop").addEventListener("click", () => begin(async () => {}));
found("strength").addEventListener("input", (event) => {
  document.documentElement.style.setProperty("--heat", (event.target as HTMLInputElement).value);
});
found("examples").append(
  ...EXAMPLES.map((name) => {
    const stem = name.split(".")[0]!;
    const look = name.endsWith(".mp4")
      ? element("video", { src: name, muted: true, preload: "metadata" })
      : element("img", { src: name, alt: "" });
    const button = element("button", { type: "button" }, look, say(`truth.${stem}`));
    button.dataset["example"] = stem;
    button.addEventListener("click", () => begin(async (signal) => judge.judge(await example(name), signal)));
    return button;
  }),
);
document.documentElement.dataset["ready"] = "";
