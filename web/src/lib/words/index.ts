// The language of the page: the one that was chosen, or the first of the browser's that there is.
import { setLocale } from "$lib/text/time";
import { en, type Words } from "./en";

export type { Words };

export type Language = "en" | "de";
const CHOSEN = "parlour.language";

/** What the page says. It is set before the first component is drawn, and stays. */
export let t: Words = en;

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
  if (now === "de") t = (await import("./de")).de;
  document.documentElement.lang = now;
  setLocale(now);
}
