import { expect, it } from "vitest";
import { Refusal } from "$lib/api/http";
import { saidOf, sentenceOf } from "./refusals";
import { de } from "$lib/words/de";
import { refused } from "$lib/words/en/refused";

it("says what the code says, and when to try again", () => {
  expect(saidOf(new Refusal(409, "last_owner", "The server's sentence."))).toBe(refused.last_owner);
  expect(saidOf(new Refusal(429, "rate_limited", "Wait.", 1_200))).toBe("That was too often. Try again in 2 seconds.");
  expect(sentenceOf({ code: "slow_mode", detail: "Wait.", after: 300_000 })).toContain("in 5 minutes");
});

it("keeps the server's sentence where that says more, and where the code is not known", () => {
  for (const code of ["validation_error", "forbidden", "user_not_found", "of_next_year", "toString", "unknown"]) {
    expect(sentenceOf({ code, detail: "The server's sentence." })).toBe("The server's sentence.");
  }
  // When to try again is not told with a message that was refused before.
  expect(sentenceOf({ code: "slow_mode", detail: "Wait a minute." })).toBe("Wait a minute.");
  expect(saidOf(new TypeError("no network"))).toBe("no network");
});

it("says it in German, too", () => {
  expect(de.refused.muted).toContain("stumm");
  expect(de.refused.rate_limited(1)).toBe("Das war zu oft. Versuch es in 1 Sekunde noch einmal.");
});
