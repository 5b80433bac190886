import { describe, expect, it } from "vitest";
import type { Message } from "$lib/api/types";
import type { Pending } from "$lib/store/outbox";
import { days } from "./items";

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 27, 10, minutes)).toISOString();
const message = (id: number, user_id: number, minutes: number, rest: Partial<Message> = {}): Message => ({
  id, seq: id, room: "general", user_id, username: `u${user_id}`, content: "x", created_at: at(minutes), ...rest,
});
const pending = (client_id: string, minutes: number): Pending => ({
  client_id, order: 1, room: "general", deed: { do: "post" }, content: "y", at: Date.parse(at(minutes)), delivery: "waiting", is_tried: false,
});
const flat = (messages: Message[], waits: Pending[] = [], newFrom?: number) =>
  days({ messages, pending: waits, me: 1, newFrom }).flatMap((day) => day.items.map((item) => `${item.is}${"isNext" in item && item.isNext ? "+" : ""}`));

describe("a conversation reads in groups", () => {
  it("puts together what one has written within five minutes", () => {
    expect(flat([message(1, 2, 0), message(2, 2, 4), message(3, 2, 10), message(4, 3, 10)])).toEqual(["message", "message+", "message", "message"]);
  });

  it("begins anew after a system line, a mention, a quote and the new line", () => {
    expect(flat([message(1, 2, 0), message(2, 2, 0, { kind: "system" }), message(3, 2, 0)])).toEqual(["message", "system", "message"]);
    expect(flat([message(1, 2, 0), message(2, 2, 0, { mentions: [{ from: 0, to: 1, user_id: 1 }] }), message(3, 2, 0)])).toEqual(["message", "message", "message"]);
    expect(flat([message(1, 2, 0), message(2, 2, 0, { reply_to: 1 })])).toEqual(["message", "message"]);
    expect(flat([message(1, 2, 0), message(2, 2, 0)], [], 1)).toEqual(["message", "new", "message"]);
  });

  it("puts no new line above one's own", () => {
    expect(flat([message(1, 2, 0), message(2, 1, 0), message(3, 2, 0)], [], 1)).toEqual(["message", "message", "new", "message"]);
  });

  it("keeps what is not stored at the end, and the same one when it is", () => {
    const waits = pending("abc", 1);
    expect(flat([message(1, 1, 0), message(2, 2, 20)], [waits])).toEqual(["message", "message", "pending"]);
    const before = days({ messages: [], pending: [waits], me: 1, newFrom: undefined })[0]?.items[0]?.key;
    const after = days({ messages: [message(3, 1, 1, { client_id: "abc" })], pending: [waits], me: 1, newFrom: undefined });
    expect(after[0]?.items.map((item) => item.key)).toEqual([before]);
  });

  it("has a key for each day line, also where a clock was set back and a day comes again", () => {
    const at = (id: number, created_at: string) => ({ ...message(id, 2, 0), created_at });
    const [one, two] = ["2026-11-28T12:00:00.000000+00:00", "2026-11-29T12:00:00.000000+00:00"];
    const all = days({ messages: [at(1, one), at(2, two), at(3, one), at(4, "abc"), at(5, two), at(6, "abc")], pending: [], me: 1, newFrom: undefined });
    expect(new Set(all.map((day) => day.key)).size).toBe(6);
  });

  it("has a day line for each day", () => {
    const other = { ...message(2, 2, 0), created_at: new Date(Date.UTC(2026, 10, 29, 12)).toISOString() };
    expect(days({ messages: [message(1, 2, 0), other], pending: [], me: 1, newFrom: undefined })).toHaveLength(2);
  });
});
