/** The files of this page, each fetched once and kept: the next visit needs no network. */

declare const __VERSION__: string;
/** Sizes in bytes of what is fetched before the first answer, by name. */
declare const __SIZES__: Readonly<Record<string, number>>;

/** Prefix of this page's stores; what follows is the version of its files. */
export const STORES = "deepfake-";
export const STORE = `${STORES}${__VERSION__}`;
export const SIZES = __SIZES__;

/**
 * The content of a file beside this page.
 *
 * @param onBytes Called with the number of bytes that arrived each time.
 */
export async function fetched(name: string, onBytes: (count: number) => void = () => {}): Promise<Uint8Array> {
  const store = await opened();
  const kept = await store?.match(name);
  const response = kept ?? (await fetch(name));
  if (!response.ok) throw new Error(`${name} could not be fetched (${response.status}). Try again later.`);
  if (!kept) await store?.put(name, response.clone());
  return inflated(await read(response, onBytes));
}

/** Keeps files for the next visit. */
export async function keep(names: readonly string[]): Promise<void> {
  await (await opened())?.addAll([...names]);
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
