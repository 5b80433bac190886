// The whole page over a server of make-believe: what is drawn of it, and what is sent. How it looks and feels is for
// tests/browser to see.
import { unmount } from "svelte";
import { describe, expect, it, vi } from "vitest";
import { Line, answers, asked, bodies, enter, find, key, message, open, text, until, world, write } from "./make-believe";
import { router } from "$lib/face/router.svelte";

describe("the page", () => {
  it("lets one in by the door", async () => {
    open();
    await until(() => find("#username"));
    const [name, password] = [find<HTMLInputElement>("#username"), find<HTMLInputElement>("#password")];
    find("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await until(() => text().includes("Type your name"));
    if (name && password) write(name, "alice"), write(password, "correct horse");
    find("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await until(() => text().includes("message 2"));
    expect(localStorage.getItem("parlour.who")).toContain("alice");
  });

  it("draws the rooms, the people and the conversation, with what is unread", async () => {
    await enter();
    expect(find(".sidebar")?.textContent).toContain("general");
    await until(() => find(".sidebar")?.textContent?.includes("Bob B."));
    expect(find(".text strong")?.textContent).toBe("three");
    expect(find(".text b")).toBeNull();
    await until(() => find("[data-new]"));
    expect(find(".react [aria-pressed=false]")?.textContent).toContain("👍");
    expect(document.querySelectorAll("article.msg")).toHaveLength(3);
  });

  it("shows by which name nobody else goes, beside one that anybody could take", async () => {
    await enter();
    await until(() => find("article .by")?.textContent?.includes("Bob B."));
    expect(find("article .by .username")?.textContent).toBe("@bob");
    expect(find("article.next .vh")?.textContent).toContain("@bob");
  });

  it("keeps the end of a status that is saved again", async () => {
    await enter();
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    const end = new Date(Date.now() + 3_600_000).toISOString();
    const status = { state: "dnd", text: "At lunch", until: end };
    answers.unshift([/users\/me$/, () => [200, { id: 1, username: "alice", created_at: "2026-11-27T10:00:00.000000+00:00", status }]]);
    Line.last?.tell({ type: "presence", users: [{ user_id: 1, username: "alice", ...status }] });
    key(window, "y", { ctrlKey: true, shiftKey: true });
    await until(() => find("#status"));
    find("#status")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await until(() => bodies.some((one) => one.includes("/api/users/me/status")));
    expect(bodies.find((one) => one.includes("/api/users/me/status"))).toContain(end);
    await until(() => !find("[role=dialog]"));
    answers.shift();
  });

  it("counts what is pinned, also what lies far up", async () => {
    await enter();
    await until(() => find("[aria-label^='Pinned messages'] .num")?.textContent === "3");
  });

  it("shows the buttons of one message at a time", async () => {
    await enter();
    const [first, second] = document.querySelectorAll<HTMLElement>("article.msg");
    first?.focus();
    await until(() => first?.querySelector(".actions"));
    second?.focus();
    await until(() => second?.querySelector(".actions"));
    first?.dispatchEvent(new Event("pointerenter"));
    await until(() => first?.querySelector(".actions"));
    expect(document.querySelectorAll(".actions")).toHaveLength(1);
  });

  it("takes as read what is in sight, and nothing behind a dialog", async () => {
    const focus = vi.spyOn(document, "hasFocus").mockReturnValue(true);
    await enter();
    key(window, "k", { ctrlKey: true });
    await until(() => find("[role=dialog]"));
    Line.last?.tell({ type: "message", id: 4, seq: 4, room: "general", user_id: 2, username: "bob", content: "unseen", timestamp: "2026-11-27T10:09:00.000000+00:00" });
    await until(() => text().includes("unseen"));
    const timeline = find(".timeline");
    if (timeline) timeline.scrollTop = 0;
    timeline?.dispatchEvent(new Event("scroll"));
    await new Promise((done) => setTimeout(done, 600));
    const isRead = () => Line.last?.said.some((one) => one.type === "read" && (one.seq ?? 0) >= 4);
    expect(isRead()).toBe(false);
    key(find("[role=dialog]") ?? window, "Escape");
    await until(isRead);
    focus.mockRestore();
  });

  it("shows what is sent at once, marks nothing that is stored, and says so when it is not", async () => {
    await enter();
    const field = find<HTMLTextAreaElement>("textarea.write");
    if (field) write(field, "from me"), key(field, "Enter");
    await until(() => text().includes("from me"));
    await until(() => Line.last?.said.some((one) => one.content === "from me"));
    const sent = Line.last?.said.find((one) => one.content === "from me");
    Line.last?.tell({ type: "error", ref: sent?.ref, code: "muted", detail: "You are muted here." });
    await until(() => text().includes("Not sent: you are muted here"));
    [...document.querySelectorAll<HTMLButtonElement>(".msg.failed button")].find((one) => one.textContent === "Retry")?.click();
    await until(() => (Line.last?.said.filter((one) => one.client_id === sent?.client_id).length ?? 0) > 1);
    Line.last?.tell({ type: "ack", ref: sent?.ref, room: "general", id: 4, seq: 4, timestamp: "2026-11-27T10:09:00.000000+00:00", duplicate: false });
    await until(() => !find(".msg.failed, .msg.waiting"));
    expect(document.querySelectorAll("article[data-id='4']")).toHaveLength(1);
  });

  it("opens every dialog by its key, and gives the focus back", async () => {
    await enter();
    const field = find<HTMLTextAreaElement>("textarea.write");
    field?.focus();
    for (const [name, rest, words] of [
      ["k", { ctrlKey: true }, "Make a room"], ["m", { ctrlKey: true, shiftKey: true }, "Members"], ["y", { ctrlKey: true, shiftKey: true }, "Your status"],
    ] as const) {
      key(window, name, rest);
      await until(() => find("[role=dialog]"));
      const input = find<HTMLInputElement>("[role=dialog] input");
      if (name === "k" && input) write(input, "make");
      await until(() => text().includes(words));
      key(find("[role=dialog]") ?? window, "Escape");
      await until(() => !find("[role=dialog]"));
      expect(document.activeElement).toBe(field);
    }
    key(find(".timeline") ?? window, "?");
    await until(() => text().includes("Next unread room"));
    key(find("[role=dialog]") ?? window, "Escape");
    await until(() => !find("[role=dialog]"));
  });

  it("leads from its first stop, which stands in a landmark, to the composer", async () => {
    await enter();
    const skip = find<HTMLAnchorElement>("a.skip");
    expect(skip?.closest("nav")?.getAttribute("aria-label")).toBe("Skip");
    expect(find(skip?.getAttribute("href") ?? "none")).toBe(find("textarea.write"));
    skip?.click();
    expect(document.activeElement).toBe(find("textarea.write"));
  });

  it("edits one's last message with the arrow up", async () => {
    answers.unshift([/rooms\/general\/messages/, [message(1), message(2), message(3, { user_id: 1, username: "alice", content: "mine" })]]);
    await enter();
    const field = find<HTMLTextAreaElement>("textarea.write");
    if (field) key(field, "ArrowUp");
    await until(() => find(".editor textarea"));
    const box = find<HTMLTextAreaElement>(".editor textarea");
    if (box) write(box, "mine, mended"), key(box, "Enter");
    await until(() => Line.last?.said.some((one) => one.type === "edit" && one.content === "mine, mended"));
    await until(() => text().includes("mine, mended"));
    // What no one has answered would wait in the tests that follow.
    const edit = Line.last?.said.find((one) => one.type === "edit");
    Line.last?.tell({ type: "ack", ref: edit?.ref, room: "general", id: 3, seq: 4, timestamp: "2026-11-27T10:09:00.000000+00:00", duplicate: false });
    await until(() => !find(".msg.waiting"));
    answers.shift();
  });

  it("keeps over a reload what waits, what was begun and what was seen, and sends what waits when it can", async () => {
    await enter();
    Line.last?.onclose({ code: 1006 });
    world.isDown = true;
    const field = () => find<HTMLTextAreaElement>("textarea.write");
    const [first] = [field()];
    if (first) write(first, "it waits"), key(first, "Enter"), write(first, "a thought");
    await until(() => text().includes("Waits for the connection"));
    await vi.waitFor(() => expect(asked.some((one) => one.includes("draft"))).toBe(true), { timeout: 20_000 });
    if (world.app) await unmount(world.app);
    document.body.replaceChildren();
    open();
    await until(() => text().includes("it waits") && text().includes("message 2"));
    expect(field()?.value).toBe("a thought");
    expect(document.querySelectorAll(".msg.waiting")).toHaveLength(1);
    world.isDown = false;
    window.dispatchEvent(new Event("online"));
    await vi.waitFor(() => expect(Line.last?.said.filter((one) => one.content === "it waits")).toHaveLength(1), { timeout: 20_000 });
  });

  it("asks before it throws away what is not sent, and then keeps nothing", async () => {
    await enter();
    Line.last?.onclose({ code: 1006 });
    world.isDown = true;
    const field = find<HTMLTextAreaElement>("textarea.write");
    if (field) write(field, "not sent"), key(field, "Enter");
    await until(() => text().includes("not sent"));
    const signOut = async () => {
      find<HTMLButtonElement>(".me")?.click();
      await until(() => find("[role=menu]"));
      [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].find((one) => one.textContent?.includes("Sign out"))?.click();
    };
    await signOut();
    await until(() => text().includes("not sent yet will be lost"));
    [...document.querySelectorAll<HTMLElement>("[role=dialog] button")].find((one) => one.textContent === "Sign out")?.click();
    await until(() => text().includes("the server could not be told"));
    expect(JSON.stringify({ ...localStorage })).not.toContain("alice");
    expect(Object.keys(localStorage).filter((one) => /last|draft|collapsed/.test(one))).toEqual([]);
    world.isDown = false;
    await enter();
    expect(text()).not.toContain("not sent");
  });

  it("says so of a room that was left, offers to join it again, and asks for nothing there", async () => {
    answers.unshift([/rooms\/8\/messages/, []], [/rooms\/8$/, { room: "8", name: "garden", kind: "public", seq: 0, created_at: "2026-11-27T10:00:00Z" }]);
    await enter();
    Line.last?.tell({ type: "room", room: "8", name: "garden", kind: "public", seq: 0, read_seq: 0, unread: 0, mentions: 0, notify: "mentions", role: "member" });
    await until(() => find("a[href='/r/8']"));
    find("a[href='/r/8']")?.click();
    await until(() => text().includes("Add people"));
    Line.last?.tell({ type: "room", room: "8", gone: true });
    await until(() => text().includes("Join again"));
    expect(text()).not.toContain("Add people");
    const before = asked.length;
    find("a[href='/r/general']")?.click();
    await until(() => text().includes("message 2"));
    router.go({ is: "room", room: "8" });
    await until(() => text().includes("Join again"));
    await new Promise((done) => setTimeout(done, 300));
    expect(asked.slice(before).filter((one) => one.includes("/rooms/8/"))).toEqual([]);
    router.go({ is: "start" });
  });
});
