// The language of the page: the one that was chosen, or the first of the browser's that there is.
import { setLocale } from "$lib/text/time";
import { en, type Words } from "./en";

export type { Words };

export type Language = "en" | "de";
const CHOSEN = "parlour.language";

/** What the page says. It is set before the first component is drawn, and stays; what dialogs alone say comes by `learnRest`. */
export let t = { ...en } as Words;
let rest: Promise<void> | undefined;

/** Loads what only dialogs say, and all else that nobody sees at first. */
export function learnRest(): Promise<void> {
  rest ??= (t.language === en.language ? import("./en/dialogs") : import("./de/dialogs")).then(({ dialogs }) => { Object.assign(t, dialogs); });
  rest.catch(() => { rest = undefined; });
  return rest;
}

export function language(): Language {
  const chosen = localStorage.getItem(CHOSEN);
  if (chosen === "en" || chosen === "de") return chosen;
  return navigator.languages.map((one) => one.split("-")[0]).find((one) => one === "en" || one === "de") ?? "en";
}

export function choose(language: Language): void {
  localStorage.setItem(CHOSEN, language);
  location.reload();
}

export async function speak(): Promise<void> {
  const now = language();
  if (now === "de") t = { ...(await import("./de")).de } as Words;
  // What was learnt before was learnt by other words.
  rest = undefined;
  document.documentElement.lang = now;
  setLocale(now);
}
