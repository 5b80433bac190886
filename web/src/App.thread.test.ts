// A thread beside its room, over a server of make-believe: where one is in it, and where one comes back to.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openThread } from "$lib/face/actions";
import { router } from "$lib/face/router.svelte";
import { Line, answers, enter, find, key, message, until } from "./make-believe";

const article = (id: number) => find(`.timeline-wrap article[data-id="${id}"]`) as HTMLElement;
const begin = async () => {
  router.go({ is: "room", room: "general" }, { replace: true });
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

describe("whoever closes a thread by keys", () => {
  const field = (where: string) => find<HTMLTextAreaElement>(`${where} textarea.write`) as HTMLTextAreaElement;
  const opened = async () => {
    await until(() => find(".pane .timeline article"));
    field(".pane").focus();
  };
  const closed = () => until(() => !find(".pane"));

  it("is at the message again that it was opened from, and else goes on writing", async () => {
    await begin();
    key(field(".main"), "Tab");
    article(2).focus();
    key(article(2), "t");
    await opened();
    key(field(".pane"), "Escape");
    await closed();
    await until(() => document.activeElement === article(2));
    // Opened from elsewhere.
    field(".main").focus();
    router.go({ is: "room", room: "general", thread: 1 });
    await opened();
    key(field(".pane"), "Escape");
    await closed();
    await until(() => document.activeElement === field(".main"));
  });

  it("goes on writing when it was opened with the pointer: letters would act on a message", async () => {
    await begin();
    article(2).focus();
    article(2).dispatchEvent(new Event("pointerdown", { bubbles: true }));
    openThread(message(2));
    await opened();
    key(field(".pane"), "Escape");
    await closed();
    await until(() => document.activeElement === field(".main"));
  });

  it("is at its message, too, when a step back has closed it", async () => {
    await begin();
    key(field(".main"), "Tab");
    article(2).focus();
    key(article(2), "t");
    await opened();
    key(field(".pane"), "ArrowLeft", { altKey: true });
    history.replaceState(null, "", "/r/general");
    // The page may still wait for a step back of the test before.
    await until(() => (dispatchEvent(new PopStateEvent("popstate")), !find(".pane")));
    await until(() => document.activeElement === article(2));
  });
});

it("a reply that stands in the room, too, leads to its thread, also below another of the same writer", async () => {
  const replies = [2, 3].map((id) => message(id, { thread: 1, also_to_room: true }));
  answers.unshift([/rooms\/general\/messages/, [message(1), ...replies]]);
  await begin();
  expect(article(2).classList).toContain("next");
  for (const { id } of replies) {
    [...article(id).querySelectorAll("button")].find((one) => one.textContent === "in a thread")?.click();
    await until(() => find(".pane article[data-id='1']"));
    router.go({ is: "room", room: "general" }, { replace: true });
    await until(() => !find(".pane"));
  }
});
