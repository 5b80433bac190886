import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Trail } from "./trail";

/** A browser's history: going back takes a moment. */
class Past {
  steps: { state: unknown; address: string }[] = [{ state: null, address: "/r/a" }];
  at = 0;
  get state() {
    return this.steps[this.at]?.state ?? null;
  }
  get pathname() {
    return this.steps[this.at]?.address ?? "left";
  }
  pushState(state: unknown, _: string, address = this.pathname) {
    this.steps.splice(++this.at, Infinity, { state, address });
  }
  replaceState(state: unknown, _: string, address = this.pathname) {
    this.steps[this.at] = { state, address };
  }
  go(by: number) {
    setTimeout(() => {
      this.at += by;
      ear();
    }, 5);
  }
  /** Where one is, and what is before and behind it. */
  get all() {
    return this.steps.map(({ address }, index) => (index === this.at ? `[${address}]` : address)).join(" ");
  }
}

let past: Past, trail: Trail, arrived: string[], closed: string[], isPhone: boolean;
/** Whoever hears of it; what was loaded before hears nothing any more. */
let ear = () => {};
const rest = () => vi.advanceTimersByTime(50);
/** Something that lies over the view, and when it is closed. */
function lay(name: string, isHeld = false) {
  const end = trail.over(() => {
    closed.push(name);
    if (!isHeld) end();
  });
  rest();
  return end;
}
const back = () => (past.go(-1), rest());

beforeEach(() => {
  vi.useFakeTimers();
  [past, arrived, closed, isPhone] = [new Past(), [], [], true];
  vi.stubGlobal("history", past);
  vi.stubGlobal("location", past);
  vi.stubGlobal("addEventListener", (_: string, next: () => void) => { ear = next; });
  trail = new Trail(() => arrived.push(past.pathname), () => isPhone);
  rest();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("Back", () => {
  it("closes what lies over the view, the topmost first, and then leaves the view", () => {
    trail.go("/r/b");
    lay("drawer");
    lay("dialog");
    back();
    expect([closed, past.pathname]).toEqual([["dialog"], "/r/b"]);
    back();
    expect([closed, past.pathname]).toEqual([["dialog", "drawer"], "/r/b"]);
    back();
    expect([closed.length, past.pathname]).toEqual([2, "/r/a"]);
  });

  it("finds no step of what was closed otherwise", () => {
    trail.go("/r/b");
    const end = lay("dialog");
    end();
    rest();
    expect(past.at).toBe(1);
    back();
    expect([closed, past.pathname]).toEqual([[], "/r/a"]);
  });

  it("leads to where one was before, when something that lay over it has led on", () => {
    const ends = [lay("drawer"), lay("dialog")];
    for (const end of ends) end();
    trail.go("/r/b");
    rest();
    expect(past.all).toBe("/r/a [/r/b]");
    back();
    expect([past.pathname, arrived.at(-1)]).toEqual(["/r/a", "/r/a"]);
  });

  it("leads there also when one is led on while the step of what was closed is gone back over", () => {
    const end = lay("dialog");
    end();
    vi.advanceTimersByTime(2);
    trail.go("/r/b");
    const next = trail.over(() => closed.push("menu"));
    rest();
    expect(past.all).toBe("/r/a /r/b [/r/b]");
    next();
    rest();
    expect(past.at).toBe(1);
  });

  it("has the address that the view was given in its place, once what lay over it is closed", () => {
    trail.go("/r/b");
    const ends = [lay("drawer"), lay("dialog")];
    trail.go("/r/b/t/5", true);
    ends[1]?.();
    rest();
    expect([past.all, arrived]).toEqual(["/r/a /r/b [/r/b/t/5] /r/b/t/5", []]);
    ends[0]?.();
    rest();
    expect([past.all, arrived]).toEqual(["/r/a [/r/b/t/5] /r/b/t/5 /r/b/t/5", []]);
  });

  it("has that address also when Back closes what lay over it, one after the other", () => {
    trail.go("/r/b/t/5");
    lay("drawer");
    lay("dialog");
    trail.leave("/r/b");
    rest();
    back();
    expect([closed, past.pathname, past.at]).toEqual([["dialog"], "/r/b", 2]);
    back();
    expect([closed, past.pathname, past.at]).toEqual([["dialog", "drawer"], "/r/b", 1]);
    back();
    expect(past.pathname).toBe("/r/a");
    expect(arrived).toEqual(["/r/b", "/r/b", "/r/a"]);
  });

  it("closes again what does not let itself be closed once", () => {
    lay("form", true);
    back();
    back();
    expect([closed, past.at]).toEqual([["form", "form"], 1]);
  });

  it("goes to the view before where there is a pointer, and nothing is laid there", () => {
    isPhone = false;
    trail.go("/r/b");
    lay("dialog");
    expect(past.all).toBe("/r/a [/r/b]");
    back();
    expect([closed, past.pathname]).toEqual([[], "/r/a"]);
  });
});

describe("a thread that is closed", () => {
  it("is left for the room that it was opened from, and stands behind it no more", () => {
    trail.go("/r/a/t/5");
    trail.leave("/r/a");
    rest();
    expect(past.all).toBe("[/r/a] /r/a/t/5");
  });

  it("gives its place to its room, where it was opened by its address", () => {
    past.steps = [{ state: null, address: "/r/a/t/5" }];
    trail.leave("/r/a");
    rest();
    expect(past.all).toBe("[/r/a]");
  });
});

it("begins without what lay over the view when the page was loaded anew", () => {
  lay("dialog");
  trail = new Trail(() => {}, () => true);
  rest();
  expect(past.at).toBe(0);
});
