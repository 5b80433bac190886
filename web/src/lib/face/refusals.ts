// What is said of what the server refuses: in its own words, which are English, or in the language of the page where the code says all.
import { Refusal } from "$lib/api/http";
import { t, type Words } from "$lib/words";

interface Refused {
  code?: string;
  detail?: string;
  /** When it may be tried again, in milliseconds. */
  after?: number;
}

/** The server names a field as requests do: people read it as words. */
function inWords(detail: string): string {
  const words = detail.replace(/`(\w+)`/g, (_, field: string) => field.replaceAll("_", " "));
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function sentenceOf({ code = "", detail: told = "", after }: Refused, { refused }: Pick<Words, "refused"> = t): string {
  const detail = inWords(told);
  const said = Object.hasOwn(refused, code) ? refused[code] : undefined;
  if (typeof said !== "function") return said ?? detail;
  return after === undefined ? detail : said(Math.max(1, Math.ceil(after / 1_000)));
}

/** The same of what was thrown. */
export function saidOf(error: unknown, words: Pick<Words, "refused"> = t): string {
  if (error instanceof Refusal) return sentenceOf({ code: error.code, detail: error.message, after: error.after }, words);
  return error instanceof Error ? error.message : String(error);
}
