import { describe, expect, it } from "vitest";
import { firstSince, type Found } from "./dates";

const HOUR = 3_600_000;
/** Messages an hour apart, with numbers that have gaps. */
const messages = (count: number, step: (n: number) => number): Found[] => {
  let id = 0;
  return Array.from({ length: count }, (_, n) => ({ id: (id += step(n)), created_at: new Date(n * HOUR).toISOString() }));
};

describe("the first message of a day", () => {
  it("is found wherever it stands, and whatever numbers are left out", async () => {
    for (const step of [() => 1, () => 7, (n: number) => 1 + ((n * n) % 5)]) {
      for (const count of [0, 1, 2, 3, 50]) {
        const all = messages(count, step);
        const next = async (after: number) => all.find((one) => one.id > after);
        for (let n = -1; n <= count; n++) {
          const since = n * HOUR - HOUR / 2;
          const wanted = all.find((one) => Date.parse(one.created_at) >= since);
          expect(await firstSince(since, all.at(-1)?.id ?? 0, next)).toEqual(wanted);
        }
      }
    }
  });

  it("is found among a hundred thousand by few questions", async () => {
    const all = messages(100_000, () => 1);
    let asked = 0;
    const found = await firstSince(77_777 * HOUR, 100_000, async (after) => (asked++, all[after]));
    expect(found?.id).toBe(77_778);
    expect(asked).toBeLessThan(20);
  });
});
