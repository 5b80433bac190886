// The whole page over a server of make-believe: what is drawn of it, and what is sent. How it looks and feels is for
// tests/browser to see.
import { tick, unmount } from "svelte";
import { describe, expect, it, vi } from "vitest";
import { Line, answers, asked, enter, find, key, message, open, text, until, world, write } from "./make-believe";

describe("the page", () => {
  it("lets one in by the door", async () => {
    open();
    await tick();
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
    expect(text()).toContain("mine, mended");
    // What no one has answered would wait in the tests that follow.
    const edit = Line.last?.said.find((one) => one.type === "edit");
    Line.last?.tell({ type: "ack", ref: edit?.ref, room: "general", id: 3, seq: 4, timestamp: "2026-11-27T10:09:00.000000+00:00", duplicate: false });
    await until(() => !find(".msg.waiting"));
    answers.shift();
  });

  it("keeps over a reload what waits, what was begun and what was seen, and sends what waits when it can", async () => {
    await enter();
    window.dispatchEvent(new Event("pagehide"));
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
    world.isDown = false;
    await enter();
    expect(text()).not.toContain("not sent");
  });
});
