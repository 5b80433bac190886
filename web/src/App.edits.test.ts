// An edit that was left unfinished, over a server of make-believe.
import { describe, expect, it } from "vitest";
import { router } from "$lib/face/router.svelte";
import { ui } from "$lib/face/ui.svelte";
import { Line, answers, enter, find, key, message, text, until, write } from "./make-believe";

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

it("that was refused is dropped by a button that says so, and not as if the message were deleted", async () => {
  localStorage.removeItem(kept);
  router.go({ is: "room", room: "general" }, { replace: true });
  answers.unshift([/rooms\/general\/messages/, [message(1, { content: "message 2" }), own, message(3)]]);
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
  key(find("textarea.write") as HTMLElement, "ArrowUp");
  await until(() => editor());
  write(editor() as HTMLTextAreaElement, "hello");
  key(editor() as HTMLElement, "Enter");
  await until(() => Line.last?.said.some((one) => one.type === "edit"));
  Line.last?.tell({ type: "error", ref: Line.last.said.find((one) => one.type === "edit")?.ref, code: "changed_since", detail: "It was changed since." });
  const buttons = () => [...document.querySelectorAll<HTMLElement>(".state button")];
  await until(() => buttons().map((one) => one.textContent).join() === "Edit,Drop my change");
  buttons()[1]?.click();
  await until(() => buttons().length === 0);
  expect(find('article[data-id="2"]')?.textContent).toContain("helo");
});

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
  button("Drop my change")?.click();
  await until(() => !left());
  expect(localStorage.getItem(kept)).toBeNull();
});

it("can be copied, and is thrown away by hand, where its message says something else by now", async () => {
  await begin({ ...own, content: "hi" });
  button("Go on")?.click();
  await until(() => ui.toasts.some(({ action }) => action?.text === "Copy text"));
  expect([text().includes("was changed since"), editor(), localStorage.getItem(kept)]).toEqual([true, null, expect.stringContaining("hello, all")]);
});

describe("what is made of a message", () => {
  const isDeleted = () => Line.last?.tell({ type: "message_changed", ...own, content: "", seq: 4, deleted_at: "2026-11-27T10:09:00.000000+00:00" });
  const at = async () => {
    await begin();
    button("Go on")?.click();
    await until(() => editor());
    write(editor() as HTMLTextAreaElement, "hello, you all");
  };

  it("is given back when somebody else deletes that, and is not thrown away with its field", async () => {
    await at();
    isDeleted();
    await until(() => !editor());
    await until(() => find(".answer")?.textContent?.includes("hello, you all"));
    expect(ui.toasts.map((one) => [one.text, one.action?.text])).toEqual([["The message was deleted while you edited it. Your text stands where you write.", "Copy text"]]);
    find<HTMLButtonElement>(".answer .btn-link")?.click();
    await until(() => find<HTMLTextAreaElement>("#composer")?.value === "hello, you all");
  });

  it("goes with the message that one deletes oneself", async () => {
    await at();
    key(find('article[data-id="2"]') as HTMLElement, "Delete");
    await until(() => find("[role=dialog] .btn-danger"));
    find("[role=dialog] .btn-danger")?.click();
    await until(() => Line.last?.said.some((one) => one.type === "delete"));
    isDeleted();
    await until(() => !editor());
    expect([localStorage.getItem(kept), localStorage.getItem("parlour.given.1.general"), ui.toasts]).toEqual([null, null, []]);
  });
});
