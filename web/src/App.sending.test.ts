// A page that goes in the moment after Enter, over a server of make-believe.
import { unmount } from "svelte";
import { expect, it, vi } from "vitest";
import { router } from "$lib/face/router.svelte";
import { Line, enter, find, key, until, world, write } from "./make-believe";

const field = () => find<HTMLTextAreaElement>("textarea.write") as HTMLTextAreaElement;
const sent = () => Line.last?.said.filter((one) => one.type === "message") ?? [];
const stored = async () => {
  Line.last?.tell({ type: "ack", ref: sent()[0]?.ref, room: "general", id: 4, seq: 4, timestamp: "2026-11-27T10:09:00.000000+00:00", duplicate: false });
  await until(() => !find(".msg.waiting"));
};
/** The page goes before the database has answered it. */
const sendAndGo = async (words: string) => {
  const late = vi.spyOn(indexedDB, "open").mockReturnValue(Object.assign(Object.create(IDBOpenDBRequest.prototype), { addEventListener() {} }));
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
  write(field(), words);
  key(field(), "Enter");
  if (world.app) void unmount(world.app);
  world.app = undefined;
  document.body.replaceChildren();
  late.mockRestore();
  Line.last = undefined;
};

it("what was sent as the page went is sent by the next page", async () => {
  await sendAndGo("on my way");
  await enter();
  await until(() => sent().length > 0);
  expect([sent().map((one) => one.content), field().value]).toEqual([["on my way"], ""]);
  await stored();
});

it("what waits to be sent stands there as a draft no more, however the page went", async () => {
  await sendAndGo("//on my way");
  localStorage.setItem("parlour.draft.1.general", JSON.stringify({ text: "//on my way ", at: Date.now(), isTold: false }));
  await enter();
  await until(() => sent().length > 0);
  await until(() => field().value === "");
  expect(sent().map((one) => one.content)).toEqual(["/on my way"]);
  await stored();
});

it("what waits without a connection is counted once, and in the same words, whatever it is", async () => {
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
  world.isDown = true;
  Line.last?.onclose({ code: 1006 });
  dispatchEvent(new Event("offline"));
  write(field(), "one"), key(field(), "Enter");
  await until(() => find(".strip")?.textContent?.includes("1 waits for the connection"));
  find(".react button")?.click();
  await until(() => find(".outbox")?.textContent?.includes("2 wait for the connection"));
  expect(find(".strip")?.textContent).toContain("You are offline. 2 wait for the connection.");
});
