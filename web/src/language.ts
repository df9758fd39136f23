/** The words of the page, in the language that the browser likes best of those that there are. */

import { fetched } from "./stored";
import { type Say, saying } from "./words";

declare const __LANGUAGES__: readonly string[];
const RIGHT_TO_LEFT = ["ar"];

export interface Language {
  readonly code: string;
  readonly file: string;
  readonly say: Say;
}

export async function chosenLanguage(wishes: readonly string[]): Promise<Language> {
  const code =
    wishes.map((wish) => wish.toLowerCase().split("-")[0]!).find((wish) => __LANGUAGES__.includes(wish)) ?? "en";
  const file = `words-${code}.json`;
  const words = JSON.parse(new TextDecoder().decode(await fetched(file))) as Record<string, string>;
  return { code, file, say: saying(words) };
}

/** Puts the words in the place of their keys, which stand in the page as `data-say`. */
export function translate({ code, say }: Language): void {
  document.documentElement.lang = code;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(code) ? "rtl" : "ltr";
  document.title = say("page.title");
  for (const place of document.querySelectorAll<HTMLElement>("[data-say]"))
    place.textContent = say(place.dataset["say"]!);
  for (const place of document.querySelectorAll<HTMLElement>("[data-label]"))
    place.ariaLabel = say(place.dataset["label"]!);
}
