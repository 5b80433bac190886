// The room with oneself alone, where reminders come, over a server of make-believe.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { router } from "$lib/face/router.svelte";
import { Line, answers, enter, find, message, until } from "./make-believe";

const note = (id: number) => message(id, { room: "9", user_id: 1, username: "alice", content: `note ${id}` });
const tell = (id: number) => {
  const { created_at: timestamp, ...told } = note(id);
  Line.last?.tell({ type: "message", ...told, timestamp });
};
const badge = () => find(".sidebar a[href='/r/9'] .badge");
const reads = () => (Line.last?.said ?? []).filter((one) => one.type === "read" && (one as { room?: string }).room === "9").map((one) => one.seq);

beforeEach(() => void vi.spyOn(document, "hasFocus").mockReturnValue(true));
afterEach(() => vi.restoreAllMocks());

it("shows as unread what came while nobody looked, and what is shown there is read, also what one writes oneself", async () => {
  answers.unshift([/rooms\/9\/messages/, [note(1), note(2)]]);
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  Line.last?.tell({ type: "room", room: "9", kind: "direct", users: [{ user_id: 1, username: "alice" }], seq: 2, read_seq: 1, unread: 0, mentions: 0, notify: "all" });
  await until(() => badge()?.textContent?.includes("1 unread"));
  expect(find("a[href='/r/9']")?.className).toContain("unread");
  // The direct room with Bob has one, too.
  await until(() => document.title.startsWith("(2)"));
  expect(reads()).toEqual([]);
  find("a[href='/r/9']")?.click();
  await until(() => reads().join() === "2");
  Line.last?.tell({ type: "read", room: "9", user_id: 1, seq: 2, unread: 0, mentions: 0, at: 2 });
  await until(() => !badge() && document.title.startsWith("(1)"));
  tell(3);
  await until(() => reads().join() === "2,3");
  Line.last?.tell({ type: "read", room: "9", user_id: 1, seq: 3, unread: 0, mentions: 0, at: 3 });
  await until(() => !badge());
  // Nothing is said again of what is read.
  find("a[href='/r/general']")?.click();
  await until(() => !find("article[data-id='3'] .text")?.textContent?.includes("note"));
  Line.last?.tell({ type: "room", room: "9", changed: ["notify"], notify: "nothing" });
  tell(4);
  await until(() => find("a[href='/r/9']")?.className.includes("quiet"));
  expect([badge(), document.title.startsWith("(1)")]).toEqual([null, true]);
  expect(reads()).toEqual([2, 3]);
});

const toasts = () => [...document.querySelectorAll(".toast > span")].map((one) => one.textContent);
const due = (room: string, message: number, content: string) => {
  const scheduled = { id: message, kind: "reminder", room, content, send_at: "2026-11-27T10:00:00Z", created_at: "2026-11-27T09:00:00Z" };
  Line.last?.tell({ type: "scheduled", change: "sent", message, scheduled });
};

it("a reminder that is told is told no longer when its room is opened, or it was read on another device", async () => {
  answers.unshift([/rooms\/9\/messages/, [note(1), note(2)]]);
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  const notes = { type: "room", room: "9", kind: "direct", users: [{ user_id: 1, username: "alice" }], read_seq: 2, unread: 0, mentions: 0, notify: "all" };
  Line.last?.tell({ ...notes, seq: 2 });
  await until(() => find("a[href='/r/9']"));
  tell(3), due("9", 3, "Reminder: water");
  await until(() => toasts().join() === "Reminder: water");
  Line.last?.tell({ type: "read", room: "9", user_id: 1, seq: 3, unread: 0, mentions: 0, at: 3 });
  await until(() => toasts().length === 0);
  tell(4), due("9", 4, "Reminder: weed");
  await until(() => toasts().join() === "Reminder: weed");
  find("a[href='/r/9']")?.click();
  await until(() => toasts().length === 0);
});

it("a reminder in a room says in which, and stays where one is looking at it already", async () => {
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  due("general", 4, "Reminder: water");
  await until(() => toasts().join() === "#general: Reminder: water");
  find("a[href='/r/7']")?.click();
  await until(() => find("a[href='/r/7']")?.ariaCurrent || find("a[href='/r/7']")?.getAttribute("aria-current"));
  expect(toasts()).toEqual(["#general: Reminder: water"]);
  find("a[href='/r/general']")?.click();
  await until(() => toasts().length === 0);
});
