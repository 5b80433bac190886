// What is said of what the server refuses: in the language of the page where its code says all, else in the server's own words.
import { Refusal } from "$lib/api/http";
import { t } from "$lib/words";

interface Refused {
  code?: string;
  detail?: string;
  /** When it may be tried again, in milliseconds. */
  after?: number;
}

export function sentenceOf({ code = "", detail = "", after }: Refused): string {
  const said = Object.hasOwn(t.refused, code) ? t.refused[code as keyof typeof t.refused] : undefined;
  if (typeof said !== "function") return said ?? detail;
  return after === undefined ? detail : said(Math.max(1, Math.ceil(after / 1_000)));
}

/** The same of what was thrown. */
export function saidOf(error: unknown): string {
  return error instanceof Refusal ? sentenceOf({ code: error.code, detail: error.message, after: error.after }) : error instanceof Error ? error.message : String(error);
}
