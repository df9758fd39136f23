/** The files of this page, each fetched once and kept: the next visit needs no network. */

declare const __VERSION__: string;
/** Sizes in bytes of what is fetched before the first answer, by name. */
declare const __SIZES__: Readonly<Record<string, number>>;

/** Prefix of this page's stores; what follows is the version of its files. */
export const STORES = "deepfake-";
export const STORE = `${STORES}${__VERSION__}`;
export const SIZES = __SIZES__;
/** A file that a browser has kept by itself may be of another version: it asks whether it is still the same. */
const CURRENT: RequestInit = { cache: "no-cache" };

/**
 * The content of a file beside this page.
 *
 * @param onBytes Called with the number of bytes that arrived each time.
 */
export async function fetched(name: string, onBytes: (count: number) => void = () => {}): Promise<Uint8Array> {
  const store = await opened();
  const kept = await store?.match(name);
  const response = kept ?? (await fetch(name, CURRENT));
  if (!response.ok) throw new Error(`${name} could not be fetched (${response.status}). Try again later.`);
  const bytes = await read(response, onBytes);
  if (store && !kept) await put(store, name, bytes);
  return inflated(bytes);
}

async function put(store: Cache, name: string, bytes: Uint8Array): Promise<void> {
  try {
    await store.put(name, new Response(bytes as BlobPart));
  } catch (error) {
    // There is no room for it: it is fetched again next time.
    if (!(error instanceof DOMException)) throw error;
  }
}

/** Keeps those files for the next visit that are not kept yet. */
export async function keep(names: readonly string[]): Promise<void> {
  const store = await opened();
  for (const name of names) {
    if (store && !(await store.match(name))) await store.add(new Request(name, CURRENT));
  }
}

/** Where files are kept; undefined where the browser has no such place, as on pages that are not served safely. */
async function opened(): Promise<Cache | undefined> {
  return "caches" in self ? caches.open(STORE) : undefined;
}

async function read(response: Response, onBytes: (count: number) => void): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = response.body!.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    onBytes(part.value.length);
  }
  return joined(parts);
}

/** The content of a gzip file; a server may have unpacked it already. */
async function inflated(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}
