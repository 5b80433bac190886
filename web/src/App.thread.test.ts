// A thread beside its room, over a server of make-believe: where one is in it, and where one comes back to.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Line, enter, find, key, until } from "./make-believe";

const article = (id: number) => find(`.timeline-wrap article[data-id="${id}"]`) as HTMLElement;
const begin = async () => {
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
  await until(() => article(2));
};

describe("whoever is at the end of a thread", () => {
  const seen: { what: Element; tell: () => void }[] = [];
  beforeEach(() => {
    seen.length = 0;
    vi.stubGlobal("ResizeObserver", class {
      constructor(readonly tell: () => void) {}
      observe(what: Element) {
        seen.push({ what, tell: this.tell });
      }
      disconnect() {}
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  it("stays there when the field below it grows, and when something is said", async () => {
    await begin();
    article(2).focus();
    key(article(2), "t");
    await until(() => find(".pane .timeline article"));
    const scroller = find(".pane .timeline") as HTMLElement, toEnd = vi.spyOn(scroller, "scrollTo");
    for (const part of [scroller, scroller.firstElementChild]) {
      const before = toEnd.mock.calls.length;
      seen.find(({ what }) => what === part)?.tell();
      expect(toEnd.mock.calls.length).toBe(before + 1);
    }
  });
});
