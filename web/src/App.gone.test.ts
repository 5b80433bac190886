// Rooms that one is not in any more, over a server of make-believe: what is offered there works.
import { describe, expect, it, vi } from "vitest";
import { router } from "$lib/face/router.svelte";
import { Line, answers, asked, enter, find, message, text, until, write } from "./make-believe";

const garden = { room: "8", name: "garden", kind: "public", seq: 3, read_seq: 3, unread: 0, mentions: 0, notify: "mentions", role: "member" };
const buttons = () => [...document.querySelectorAll(".closed button")].map((one) => one.textContent);
const closed = () => find(".closed")?.textContent ?? "";
const begin = async (rest: object, answer: unknown) => {
  answers.unshift([/rooms\/8\/messages/, []], [/rooms\/8$/, answer]);
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  Line.last?.tell({ type: "room", ...garden, ...rest });
  await until(() => find("a[href='/r/8']"));
  find("a[href='/r/8']")?.click();
  await until(() => find("textarea.write")?.getAttribute("aria-label")?.includes("garden"));
};
const goneWith = (event: object) => {
  const { created_at: timestamp, ...told } = message(4, { room: "8", kind: "system", user_id: 2, event: event as never });
  Line.last?.tell({ type: "message", ...told, timestamp });
  Line.last?.tell({ type: "room", room: "8", gone: true });
};

describe("a room that one was taken out of", () => {
  it("is not offered to be joined, and says who can add one, and that what was begun is kept", async () => {
    await begin({}, () => [404, { code: "room_not_found", detail: "There is no such room." }]);
    write(find<HTMLTextAreaElement>("textarea.write") as HTMLTextAreaElement, "half a thought");
    goneWith({ type: "kicked", user_id: 1 });
    await until(() => closed().includes("A moderator or an owner has to add you"));
    expect(closed()).toContain("what you began to write is kept");
    expect(buttons()).toEqual([]);
  });

  it("is told nothing more: what would be read there is refused, and the refusal would be shown", async () => {
    const focus = vi.spyOn(document, "hasFocus").mockReturnValue(true);
    await begin({}, () => [404, { code: "room_not_found", detail: "There is no such room." }]);
    goneWith({ type: "kicked", user_id: 1 });
    await until(() => closed().includes("A moderator or an owner has to add you"));
    await new Promise((done) => setTimeout(done, 400));
    expect(Line.last?.said.filter((one) => one.type === "read" && (one as { room?: string }).room === "8")).toEqual([]);
    focus.mockRestore();
  });

  it("is shown as a place that is not there after a reload", async () => {
    answers.unshift([/rooms\/13$/, () => [404, { code: "room_not_found", detail: "There is no such room." }]]);
    router.go({ is: "room", room: "general" }, { replace: true });
    await enter();
    router.go({ is: "room", room: "13" });
    await until(() => text().includes("somebody has to add you first"));
    expect(text()).not.toContain("Join");
  });
});

describe("a room that one has left elsewhere", () => {
  it("is offered to be joined while it is public", async () => {
    await begin({}, { ...garden, created_at: "2026-11-27T10:00:00Z" });
    goneWith({ type: "left", user_id: 1 });
    await until(() => buttons().join() === "Join again");
    expect(closed()).not.toContain("has to add you");
  });

  it("is not when it is private: somebody in it has to add one", async () => {
    await begin({ kind: "private" }, () => [404, { code: "room_not_found", detail: "There is no such room." }]);
    goneWith({ type: "left", user_id: 1 });
    await until(() => closed().includes("Someone in it has to add you"));
    expect([buttons(), closed().includes("kept")]).toEqual([[], false]);
  });

  it("is not when it is archived, nor is one that one was never in", async () => {
    const archived = { ...garden, archived_at: "2026-11-27T10:00:00Z", created_at: "2026-11-27T10:00:00Z" };
    await begin({}, archived);
    const before = asked.length;
    goneWith({ type: "left", user_id: 1 });
    await until(() => asked.slice(before).some((one) => one.endsWith("/rooms/8")) && closed().includes("archived"));
    expect(buttons()).toEqual([]);
    answers.unshift([/rooms\/12$/, { ...archived, room: "12" }]);
    router.go({ is: "room", room: "12" });
    await until(() => find(".begin h1")?.textContent === "#garden");
    expect([text().includes("This room is archived"), find(".begin button")]).toEqual([true, null]);
  });
});
