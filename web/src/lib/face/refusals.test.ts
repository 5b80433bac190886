import { expect, it } from "vitest";
import { Refusal } from "$lib/api/http";
import { saidOf, sentenceOf } from "./refusals";
import { de } from "$lib/words/de";
import { en } from "$lib/words/en";

const FULL = "The server's disk is full: whoever runs it has to make room.";

it("says in English what the server says, which knows more than its code", () => {
  expect(saidOf(new Refusal(503, "store_unavailable", FULL), en)).toBe(FULL);
  expect(saidOf(new Refusal(429, "rate_limited", "20 rooms an hour are the most.", 1_200), en)).toBe("20 rooms an hour are the most.");
});

it("names no field as a request does", () => {
  for (const [detail, said] of [
    ["`quiet_hours` must be a time of day and another one, such as 22:00-07:00.", "Quiet hours must be a time of day and another one, such as 22:00-07:00."],
    ["A status holds for at most a year; leave out `until`, and it stays.", "A status holds for at most a year; leave out until, and it stays."],
    ["There is no command `/tpoic tea`.", "There is no command `/tpoic tea`."],
  ] as const) expect(sentenceOf({ code: "validation_error", detail }, en)).toBe(said);
});

it("says in German what the code says, and when to try again", () => {
  expect(saidOf(new Refusal(409, "last_owner", "The server's sentence."), de)).toBe(de.refused.last_owner);
  expect(saidOf(new Refusal(429, "rate_limited", "Wait.", 1_200), de)).toBe("Das war zu oft. Versuch es in 2 Sekunden noch einmal.");
  expect(sentenceOf({ code: "slow_mode", detail: "Wait.", after: 300_000 }, de)).toContain("In 5 Minuten");
  expect(sentenceOf({ code: "slow_mode", detail: "Wait.", after: 7_140_000 }, de)).toContain("In 119 Minuten");
  expect(sentenceOf({ code: "slow_mode", detail: "Wait.", after: 86_400_000 }, de)).toContain("In 24 Stunden");
});

it("says in German what is true of all that a code is for", () => {
  expect(de.refused.too_many_reactions).toContain("von dir oder überhaupt");
  expect(de.refused.message_not_found).toContain("auf die sie antwortet");
});

it("keeps the server's sentence where that says more, and where the code is not known", () => {
  for (const code of ["validation_error", "forbidden", "user_not_found", "of_next_year", "toString", "unknown"]) {
    expect(sentenceOf({ code, detail: "The server's sentence." }, de)).toBe("The server's sentence.");
  }
  // When to try again is not told with a message that was refused before.
  expect(sentenceOf({ code: "slow_mode", detail: "Wait a minute." }, de)).toBe("Wait a minute.");
  expect(saidOf(new TypeError("no network"), de)).toBe("no network");
});
