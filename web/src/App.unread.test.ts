// What is marked unread by hand, over a server of make-believe.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { router } from "$lib/face/router.svelte";
import { Line, answers, enter, find, key, message, until, write } from "./make-believe";

const said = () => Line.last?.said.filter((one) => one.type === "read") ?? [];
const badge = () => find(".sidebar a[href='/r/general'] .count")?.textContent ?? "";
/** A server that moves the marker as it is told, and says so. */
const serve = (seq: number, unread: number, thread?: number) =>
  Line.last?.tell({ type: "read", room: "general", user_id: 1, seq, ...(thread ? { thread } : { unread, mentions: 0, at: 3 }) });
const aWhile = () => new Promise((done) => setTimeout(done, 700));

beforeEach(() => void vi.spyOn(document, "hasFocus").mockReturnValue(true));
afterEach(() => vi.restoreAllMocks());

describe("a room that is marked unread from a message on, at its end", () => {
  const article = (id: number) => find(`article[data-id="${id}"]`) as HTMLElement;
  const toEnd = () => {
    const timeline = find(".timeline") as HTMLElement;
    timeline.scrollTop = 0;
    timeline.dispatchEvent(new Event("scroll"));
  };
  const begin = async () => {
    router.go({ is: "room", room: "general" }, { replace: true });
    await enter();
    await until(() => find("[data-new]"));
    toEnd();
    await until(() => said().length > 0);
    serve(3, 0);
    await until(() => badge() === "");
    Line.last?.said.splice(0);
  };
  const mark = async () => {
    key(find("textarea.write") as HTMLElement, "Tab");
    article(2).focus();
    key(article(2), "u");
    await until(() => said().length === 1);
    serve(1, 2);
    await until(() => badge().includes("2"));
  };

  it("stays unread, with a line where it is new, as long as one does not go on", async () => {
    await begin();
    await mark();
    expect(said()).toMatchObject([{ seq: 2, unread: true }]);
    await aWhile();
    dispatchEvent(new Event("blur"));
    dispatchEvent(new Event("focus"));
    await aWhile();
    expect(said()).toHaveLength(1);
    expect(badge()).toContain("2");
    expect(find("[data-new]")?.nextElementSibling).toBe(article(2));
  });

  it("stays so, too, where it was another device that marked it", async () => {
    await begin();
    serve(1, 2);
    await until(() => badge().includes("2"));
    await aWhile();
    expect([said(), find("[data-new]")?.nextElementSibling === article(2)]).toEqual([[], true]);
  });

  it("is read again by whoever goes to the newest message, or comes back to it", async () => {
    await begin();
    await mark();
    key(article(2), "End");
    await until(() => said().length === 2);
    expect(said()[1]).toMatchObject({ seq: 3 });
    serve(3, 0);
    await until(() => badge() === "");
    Line.last?.said.splice(0);
    await mark();
    find("a[href='/r/7']")?.click();
    await until(() => !find("a[href='/r/general']")?.ariaCurrent && !find("article[data-id='2']"));
    find("a[href='/r/general']")?.click();
    await until(() => find("[data-new]"));
    toEnd();
    await until(() => said().some((one) => one.seq === 3));
  });

  it("is marked itself, and not the thread of a reply that stands in it, too", async () => {
    answers.unshift([/rooms\/general\/messages/, [message(1), message(2, { thread: 1, also_to_room: true }), message(3)]]);
    await begin();
    await mark();
    expect(said()[0]).not.toHaveProperty("thread");
  });
});

it("a thread that is marked unread from a reply on stays so until one goes on", async () => {
  const thread = [message(1), message(4, { thread: 1 }), message(5, { thread: 1 })];
  answers.unshift([/messages\?thread=1/, thread], [/api\/threads/, [{ message: message(1), last_at: message(5).created_at, read_seq: 5, unread: 0, mentions: 0 }]]);
  router.go({ is: "room", room: "general", thread: 1 }, { replace: true });
  await enter();
  const here = () => said().filter((one) => "thread" in one);
  const reply = () => find(".pane article[data-id='5']") as HTMLElement;
  await until(() => here().length === 1);
  serve(5, 0, 1);
  key(find(".pane textarea.write") as HTMLElement, "Tab");
  reply().focus();
  key(reply(), "u");
  await until(() => here().length === 2);
  serve(4, 0, 1);
  await until(() => find(".pane .new"));
  dispatchEvent(new Event("blur"));
  dispatchEvent(new Event("focus"));
  await aWhile();
  expect([here().length, find(".pane .new")?.nextElementSibling === reply()]).toEqual([2, true]);
  const field = find<HTMLTextAreaElement>(".pane textarea.write") as HTMLTextAreaElement;
  write(field, "I go on");
  key(field, "Enter");
  await until(() => here().length === 3);
  const sent = Line.last?.said.find((one) => one.type === "message");
  Line.last?.tell({ type: "ack", ref: sent?.ref, room: "general", id: 6, seq: 6, timestamp: "2026-11-27T10:09:00.000000+00:00", duplicate: false });
  await until(() => !find(".msg.waiting"));
});

it("what is below the screen is counted, and nothing that is on it", async () => {
  // Each message is as high as a third of the screen, and the third of them is its last.
  let last = 3;
  vi.spyOn(Element.prototype, "getBoundingClientRect").mockImplementation(function (this: HTMLElement) {
    const top = this.dataset?.id ? (Number(this.dataset.id) - last + 2) * 100 : 0;
    return new DOMRect(0, top, 100, this.dataset?.id ? 100 : 300);
  });
  const come = (id: number) => Line.last?.tell({ type: "message", id, seq: id, room: "general", user_id: 2, username: "bob", content: `message ${id}`, timestamp: `2026-11-27T10:0${id}:00.000000+00:00` });
  const newer = () => Number.parseInt(find(".to-latest")?.textContent ?? "0", 10) || 0;
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  await until(() => find("[data-new]"));
  for (const id of [4, 5, 6]) come(id);
  await until(() => newer() === 3);
  last = 5;
  find(".timeline")?.dispatchEvent(new Event("scroll"));
  await until(() => newer() === 1);
  // Whoever goes back up has seen them.
  last = 2;
  find(".timeline")?.dispatchEvent(new Event("scroll"));
  await aWhile();
  expect(newer()).toBe(1);
});

it("all is read at once: rooms, and the threads that one follows, in their list, too", async () => {
  const thread = (id: number, unread: number) => ({ message: message(id, { replies: { count: 2, last_id: 3, seq: 3, users: [] } }), last_at: message(3).created_at, read_seq: 0, unread, mentions: 0 });
  const threads = [thread(1, 2), thread(2, 0)];
  answers.unshift([/api\/threads/, threads]);
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  const count = () => find(".sidebar a[href='/threads'] .count");
  await until(() => count()?.textContent?.includes("2"));
  router.go({ is: "threads" });
  await until(() => find(".fresh"));
  Line.last?.said.splice(0);
  key(window, "Escape", { shiftKey: true });
  await until(() => said().length === 3);
  expect(said()).toEqual([{ type: "read", room: "general", seq: 3 }, { type: "read", room: "7", seq: 1 }, { type: "read", room: "general", seq: 3, thread: 1 }]);
  threads.splice(0, 1, thread(1, 0));
  serve(3, 0, 1);
  await until(() => !count() && !find(".fresh"));
});

it("a mention in a thread is a badge, and counts in the title, as long as its room is not muted", async () => {
  const thread = { message: message(1), last_at: message(3).created_at, read_seq: 0, unread: 3, mentions: 2 };
  answers.unshift([/api\/threads/, [thread]]);
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  await until(() => find(".sidebar a[href='/threads'] .badge"));
  expect(find(".sidebar a[href='/threads']")?.textContent).toContain("2 mentions");
  // The direct room has one more.
  await until(() => document.title === "(3) #general · Parlour");
  Line.last?.tell({ type: "room", room: "general", changed: ["notify"], notify: "nothing" });
  await until(() => document.title === "(1) #general · Parlour");
  expect(find(".sidebar a[href='/threads']")?.textContent).toContain("3 unread");
});
