// An edit that was left unfinished, over a server of make-believe.
import { expect, it } from "vitest";
import { router } from "$lib/face/router.svelte";
import { ui } from "$lib/face/ui.svelte";
import { Line, answers, enter, find, message, text, until, write } from "./make-believe";

const own = message(2, { user_id: 1, username: "alice", content: "helo" });
const kept = "parlour.edit.1.general.2", left = () => find(".left-edit");
const button = (words: string) => [...(left()?.querySelectorAll<HTMLElement>("button") ?? [])].find((one) => (one.getAttribute("aria-label") ?? one.textContent)?.trim() === words);
const begin = async (says = own) => {
  router.go({ is: "room", room: "general" }, { replace: true });
  answers.unshift([/general\/messages\/2/, says], [/rooms\/general\/messages/, [message(1, { content: "message 2" }), says, message(3)]]);
  localStorage.setItem(kept, JSON.stringify({ text: "hello, all", of: "helo" }));
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
  await until(() => left()?.textContent?.includes("You have not finished an edit."));
};
const editor = () => find<HTMLTextAreaElement>(".editor textarea");

it("is named where one writes, and gone on with at its message", async () => {
  await begin();
  button("Go on")?.click();
  await until(() => editor()?.value === "hello, all");
  await until(() => !left());
  // Left again, it is named again.
  write(editor() as HTMLTextAreaElement, "hello, you all");
  router.go({ is: "room", room: "7" });
  await until(() => !editor());
  router.go({ is: "room", room: "general" });
  await until(() => left());
  expect(localStorage.getItem(kept)).toContain("hello, you all");
});

it("can be thrown away", async () => {
  await begin();
  button("Delete")?.click();
  await until(() => !left());
  expect(localStorage.getItem(kept)).toBeNull();
});

it("can be copied, and is thrown away by hand, where its message says something else by now", async () => {
  await begin({ ...own, content: "hi" });
  button("Go on")?.click();
  await until(() => ui.toasts.some(({ action }) => action?.text === "Copy text"));
  expect([text().includes("was changed since"), editor(), localStorage.getItem(kept)]).toEqual([true, null, expect.stringContaining("hello, all")]);
});
