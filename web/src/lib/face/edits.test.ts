import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Message } from "$lib/api/types";
import { Outbox, type Pending } from "$lib/store/outbox";
import type { Client } from "./client.svelte";
import { Drafts } from "./drafts";
import { giveBackEdit, textOf } from "./edits";
import { router } from "./router.svelte";
import { ui } from "./ui.svelte";

const made = (id: number, content: string, delivery: Pending["delivery"] = "waiting"): Pending => ({
  client_id: content, order: 1, room: "7", deed: { do: "edit", id, seq: 3 }, content, at: 0, delivery, is_tried: false,
});

it("begins an edit with what one has made of the message already", () => {
  const message = { id: 3, content: "a" };
  expect(textOf(message, [])).toBe("a");
  expect(textOf(message, [made(3, "ab"), made(3, "abc", "sent"), made(4, "x"), made(3, "refused", "refused")])).toBe("abc");
});

describe("an edit that was refused", () => {
  const helo = { id: 3, room: "7", content: "helo" } as Message;
  let held: Message | undefined, outbox: Outbox, client: Client;
  const ask = vi.fn(async () => ({ body: { ...helo, thread: 2 } }));

  beforeEach(() => {
    localStorage.clear();
    ui.clear();
    ask.mockClear();
    [held, outbox] = [helo, new Outbox()];
    outbox.put(made(3, "hello", "refused"));
    const room = { timeline: { message: () => held }, threads: { message: () => undefined } };
    const parts = { me: { id: 1 }, session: { ask }, store: { outbox, rooms: new Map([["7", room]]) }, takeBack: (one: Pending) => outbox.takeBack(one.client_id) };
    client = Object.assign(parts, { drafts: undefined as unknown }) as unknown as Client;
    Object.assign(client, { drafts: new Drafts(client) });
  });
  const refused = () => outbox.find("hello") as Pending;

  it("is an edit of its message again, and no message, and is opened where that stands", async () => {
    await giveBackEdit(client, refused());
    expect(outbox.all).toEqual([]);
    expect([client.drafts.ofEdit("7", 3, "helo").read(), client.drafts.read("7", undefined)]).toEqual(["hello", ""]);
    expect([ui.editing, router.view]).toEqual([{ room: "7", id: 3 }, { is: "room", room: "7", at: 3 }]);
  });

  it("is opened in the thread where its message stands, which is asked for where it is not at hand", async () => {
    held = undefined;
    await giveBackEdit(client, refused());
    expect([ask.mock.calls.length, ui.editing, router.view]).toEqual([1, { room: "7", id: 3, thread: 2 }, { is: "room", room: "7", thread: 2 }]);
  });

  it("takes nothing away from what was begun of another", async () => {
    client.drafts.ofEdit("7", 3, "helo").keep("hello, all");
    const open = vi.fn();
    await giveBackEdit(client, refused(), open);
    expect([client.drafts.ofEdit("7", 3, "helo").read(), open.mock.calls]).toEqual(["hello, all\nhello", [[helo]]]);
  });

  it("stays where it is, to be copied, when its message is deleted or cannot be asked for", async () => {
    held = { ...helo, deleted_at: "2026-11-28T00:00:00Z" };
    await giveBackEdit(client, refused());
    expect([outbox.all.length, ui.toasts.at(-1)?.action?.text, ui.editing]).toEqual([1, "Copy text", undefined]);
    held = undefined;
    ask.mockRejectedValueOnce(new TypeError("no network"));
    await giveBackEdit(client, refused());
    expect([outbox.all.length, ui.toasts.at(-1)?.text]).toEqual([1, "no network"]);
  });
});
