// Where a room with much that is unread begins, over a server of make-believe and a screen of make-believe.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { router } from "$lib/face/router.svelte";
import { Line, answers, find, message, open, until } from "./make-believe";

const at = (id: number) => message(id, { created_at: "2026-11-27T10:00:00.000000+00:00" });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => at(from + index));
const room = { room: "general", name: "general", kind: "public", seq: 200, unread: 0, read_seq: 200, mentions: 0, notify: "mentions", role: "member" };
const frame = () => new Promise((done) => requestAnimationFrame(done));
const reads = () => Line.last?.said.filter((one) => one.type === "read") ?? [];

/** How high each message is; one without its text takes 20, as a line of another kind. What is seen is 600 high, and its end is
 *  where nothing is scrolled. */
const heights = new Map<number, number>();
let scrolled = 0, resized: (() => void)[] = [];
const timeline = () => find(".timeline") as HTMLElement;
const heightOf = (element: Element) => (element.querySelector(".text")?.hasChildNodes() ? (heights.get(Number((element as HTMLElement).dataset.id)) ?? 50) : 20);
function bottomOf(element: Element): number {
  const all = [...timeline().querySelectorAll("[data-key]")];
  return 600 - scrolled - all.slice(all.indexOf(element) + 1).reduce((sum, one) => sum + heightOf(one), 0);
}
const topOf = (element: Element) => bottomOf(element) - heightOf(element);
const line = () => find("[data-new]") as HTMLElement;
const nextTo = (element: Element | null) => (element?.nextElementSibling as HTMLElement | null)?.dataset.id;

/** Answers what was asked of the past, as soon as it was asked. */
let answerPast: (() => void) | undefined;
beforeEach(() => {
  heights.clear();
  [scrolled, resized, answerPast] = [0, [], undefined];
  vi.stubGlobal("ResizeObserver", class {
    constructor(tell: () => void) { resized.push(tell); }
    observe() {}
    disconnect() {}
  });
  vi.stubGlobal("WebSocket", class extends Line {
    override tell(frame: object) {
      super.tell("event" in frame ? { ...frame, rooms: [room] } : frame);
    }
  });
  // A page of the past says what comes before it.
  const plain = fetch;
  vi.stubGlobal("fetch", async (address: string, options: RequestInit) => {
    const answer = await plain(address, options);
    if (address.includes("/messages?")) answer.headers.set("link", '<x>; rel="prev"');
    return answer;
  });
  vi.spyOn(Element.prototype, "getBoundingClientRect").mockImplementation(function (this: Element) {
    const box = this.matches("[data-key]") ? { top: topOf(this), bottom: bottomOf(this) } : { top: 0, bottom: 600 };
    return { ...box, left: 0, right: 0, width: 0, height: box.bottom - box.top } as DOMRect;
  });
  vi.spyOn(Element.prototype, "scrollTop", "get").mockImplementation(() => scrolled);
  vi.spyOn(Element.prototype, "scrollTop", "set").mockImplementation(function (this: Element, to: number) { if (this === timeline()) scrolled = to; });
  vi.spyOn(Element.prototype, "scrollHeight", "get").mockImplementation(() => 100_000);
  vi.spyOn(Document.prototype, "hasFocus").mockReturnValue(true);
  answers.unshift([/general\/messages\?.*around/, () => new Promise((done) => { answerPast = () => done([200, range(91, 150)]); })], [/general\/messages/, range(151, 200)]);
});
afterEach(() => vi.restoreAllMocks());

const begin = async (unread: number, view: { at?: number } = {}) => {
  Object.assign(room, { unread, read_seq: 200 - unread });
  router.go({ is: "room", room: "general", ...view }, { replace: true });
  localStorage.setItem("parlour.who", JSON.stringify({ id: 1, username: "alice" }));
  open();
  await until(() => find('article[data-id="200"]'));
};

const pastComes = async () => {
  await until(() => answerPast);
  answerPast?.();
};
const noted = async () => {
  timeline().dispatchEvent(new Event("scroll"));
  await frame();
};

it("a room with little unread begins at the first of it, too, however tall that is", async () => {
  for (let id = 151; id <= 200; id++) heights.set(id, 150);
  await begin(5);
  await until(() => scrolled !== 0);
  await noted();
  expect([nextTo(line()), topOf(line())]).toEqual(["196", 96]);
});

describe("a room with more unread than is at hand", () => {
  it("begins at the first of it, and stays there when texts turn out higher than they were at first, until it is scrolled by hand", async () => {
    await begin(80);
    await pastComes();
    await until(() => scrolled !== 0);
    expect([nextTo(line()), topOf(line())]).toEqual(["121", 96]);
    for (const id of [125, 130, 190]) heights.set(id, 300);
    await noted();
    expect(topOf(line())).toBe(96);
    for (const id of [126, 131, 119]) heights.set(id, 300);
    for (const tell of resized) tell();
    await noted();
    expect(topOf(line())).toBe(96);
    scrolled -= 120;
    await noted();
    heights.set(140, 300);
    await noted();
    for (const tell of resized) tell();
    expect(topOf(line())).toBe(216);
  });

  it("is not read while it is on its way there", async () => {
    await begin(80);
    await until(() => answerPast);
    await new Promise((done) => setTimeout(done, 500));
    expect(reads()).toEqual([]);
    await pastComes();
    await until(() => scrolled !== 0);
    await new Promise((done) => setTimeout(done, 500));
    expect(reads()).toEqual([]);
  });
});

it("a link leads to a message that is not at hand", async () => {
  const gone = vi.spyOn(Element.prototype, "scrollIntoView").mockImplementation(() => {});
  await begin(0, { at: 100 });
  await pastComes();
  await until(() => gone.mock.contexts.some((one) => (one as HTMLElement).dataset.id === "100"));
});
