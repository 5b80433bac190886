import { afterEach, describe, expect, it, vi } from "vitest";
import { clockOf, setLocale, timeOf } from "./time";

afterEach(() => vi.restoreAllMocks());

describe("the time beside a message is as narrow as its room", () => {
  it.each([["en-US", "10:42 PM", "10:42"], ["en-GB", "22:42", "22:42"], ["en-AU", "10:42 pm", "10:42"], ["de-DE", "22:42", "22:42"]])("by the clocks of %s", (locale, whole, narrow) => {
    vi.spyOn(navigator, "languages", "get").mockReturnValue([locale]);
    setLocale(locale.slice(0, 2));
    const at = new Date("2026-11-27T22:42").getTime();
    expect([timeOf(at).replace(/\s/, " "), clockOf(at)]).toEqual([whole, narrow]);
  });
});
