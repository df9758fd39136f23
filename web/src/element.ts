/** Elements of the page, made and found. */

type Child = Node | string;

export function element<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  properties: Partial<HTMLElementTagNameMap[T]> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[T] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function found<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** An address of something in memory, which holds it until it is aborted. */
export function addressOf(content: Blob, signal: AbortSignal): string {
  const address = URL.createObjectURL(content);
  signal.addEventListener("abort", () => URL.revokeObjectURL(address), { once: true });
  return address;
}
