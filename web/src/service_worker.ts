/** Serves this page's files from where they are kept, so that it works without a network. */

import { STORE, STORES } from "./stored";

// The page's types are those of a window; these are the parts that a service worker has instead.
interface Scope {
  addEventListener(
    type: "install" | "activate",
    listen: (event: { waitUntil(done: Promise<unknown>): void }) => void,
  ): void;
  addEventListener(
    type: "fetch",
    listen: (event: { readonly request: Request; respondWith(answer: Promise<Response>): void }) => void,
  ): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}
const scope = self as unknown as Scope;

scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));

scope.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers().then(() => scope.clients.claim()));
});

scope.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});

async function answer(request: Request): Promise<Response> {
  // A page that can be reached is shown as it is now: it names the files of its own version.
  if (request.mode === "navigate") return fetch(request).catch(() => kept(request));
  return kept(request);
}

async function kept(request: Request): Promise<Response> {
  return (await (await caches.open(STORE)).match(request, { ignoreSearch: true })) ?? fetch(request);
}

/** Deletes what earlier versions kept. */
async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(STORES) && name !== STORE).map((name) => caches.delete(name)),
  );
}
