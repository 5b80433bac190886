// Where a dialog begins, and what a room offers at its beginning, over a server of make-believe.
import { expect, it } from "vitest";
import { router } from "$lib/face/router.svelte";
import { ui } from "$lib/face/ui.svelte";
import { Line, answers, enter, find, message, text, until } from "./make-believe";

it("a dialog whose fields come later begins in the first of them, unless somebody has gone elsewhere by then", async () => {
  let answer: (said: [number, unknown]) => void = () => {};
  const mine = () => new Promise((done) => { answer = done; });
  answers.unshift([/users\/me$/, mine]);
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  const profile = { id: 1, username: "alice", created_at: "2026-11-27T10:00:00Z" };
  for (const isElsewhere of [false, true]) {
    ui.open({ is: "profile" });
    await until(() => find("[role=dialog] footer"));
    if (isElsewhere) find("[role=dialog] footer .btn-main")?.focus();
    const before = document.activeElement;
    answer([200, profile]);
    await until(() => find("#display"));
    if (!isElsewhere) await until(() => document.activeElement === find("#display"));
    else expect(document.activeElement).toBe(before);
    ui.close();
    await until(() => !find("[role=dialog]"));
  }
});

it("a topic is asked for where there is none, and where it can be set", async () => {
  answers.unshift([/rooms\/8\/messages/, [message(1, { room: "8", content: "in the garden" })]]);
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  const garden = { type: "room", room: "8", name: "garden", kind: "public", seq: 1, read_seq: 1, unread: 0, mentions: 0, notify: "mentions", role: "owner" };
  Line.last?.tell(garden);
  await until(() => find("a[href='/r/8']"));
  find("a[href='/r/8']")?.click();
  await until(() => text().includes("Set a topic"));
  Line.last?.tell({ type: "room", room: "8", changed: ["topic"], topic: "Peas" });
  await until(() => !find(".begin .do")?.textContent?.includes("Set a topic"));
  expect(find(".begin .do")?.textContent).toContain("Add people");
  Line.last?.tell({ type: "room", room: "8", changed: ["topic", "archived_at"], topic: null, archived_at: "2026-11-27T10:00:00Z" });
  await until(() => text().includes("This room is archived"));
  expect(find(".begin .do")?.textContent?.trim() ?? "").toBe("");
});
