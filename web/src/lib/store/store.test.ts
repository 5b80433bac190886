import { beforeEach, describe, expect, it } from "vitest";
import type { Connected, Heard, Limits, Message, RoomState, Said } from "$lib/api/types";
import type { Effect, Outcome } from "./news";
import { Store } from "./store";

const LIMITS = { content_bytes: 16_384, frame_bytes: 65_536 } as Limits;
const message = (id: number, rest: Partial<Message> = {}): Message => ({
  id, seq: id, room: "general", user_id: 2, username: "bob", content: `message ${id}`, created_at: "2026-11-27T10:00:00.000000+00:00", ...rest,
});
const hello = (rooms: RoomState[], rest: Partial<Connected> = {}) =>
  ({ type: "system", event: "connected", message: "", user_id: 1, username: "alice", session: 1, epoch: "e", heartbeat_ms: 25_000, limits: LIMITS, rooms, online: [], ...rest }) as unknown as Heard;
const frame = (one: Message, type: "message" | "message_changed" = "message") => ({ ...one, type }) as unknown as Heard;
const general = (seq: number, rest: Partial<RoomState> = {}): RoomState => ({ room: "general", name: "general", kind: "public", seq, read_seq: seq, unread: 0, mentions: 0, ...rest });
const said = ({ effects }: Outcome): Said[] => effects.flatMap((one) => (one.do === "say" ? [one.frame] : []));
const fetched = ({ effects }: Outcome) => effects.filter((one): one is Extract<Effect, { do: "fetch" }> => one.do === "fetch");

let store: Store;
beforeEach(() => {
  store = new Store("t");
});

/** A store whose room `general` holds these messages. */
function filled(to: number): void {
  const [ask] = fetched(store.frame(0, hello([general(to)])));
  if (!ask) throw new Error("nothing is asked for");
  store.page(0, ask, { messages: Array.from({ length: to }, (_, n) => message(n + 1)), more: false });
}

describe("what one knows of rooms", () => {
  it("fetches the room that is looked at, and leaves the others until they are", () => {
    const out = store.frame(0, hello([general(3), { ...general(9), room: "12", name: "tea" }]));
    expect(fetched(out).map((one) => one.room)).toEqual(["general"]);
    expect(fetched(store.lookAt("12"))).toMatchObject([{ room: "12", query: { at: "before", id: 10 } }]);
  });

  it("counts what others write above the marker, and what of it is for one", () => {
    store.frame(0, hello([general(5, { read_seq: 3, unread: 2 })]));
    const [ask] = fetched(store.lookAt("general"));
    if (ask) store.page(0, ask, { messages: [], more: false });
    filled(5);
    for (const one of [message(6), message(7, { user_id: 1 }), message(8, { mentions: [{ from: 0, to: 1, user_id: 1 }] }), message(9, { thread: 2 }), message(10, { kind: "system" })]) store.frame(0, frame(one));
    expect(store.rooms.get("general")).toMatchObject({ unread: 2, mentions: 1 });
    store.frame(0, frame(message(8, { seq: 11, deleted_at: "x" }), "message_changed"));
    expect(store.rooms.get("general")).toMatchObject({ unread: 1, mentions: 0 });
    store.frame(0, { type: "read", room: "general", user_id: 1, seq: 11, unread: 0, mentions: 0, at: 11 } as unknown as Heard);
    expect(store.rooms.get("general")?.unread).toBe(0);
  });

  it("asks what is unread where it cannot be known: what was told of has changed, and is not at hand as it was", () => {
    store.frame(0, hello([general(1), { ...general(9), room: "12", name: "tea", read_seq: 5, unread: 4, mentions: 1 }]));
    store.frame(0, frame(message(7, { seq: 10, room: "12", deleted_at: "x" }), "message_changed"));
    const ask = store.tick(3_000).effects.find((one) => one.do === "count");
    expect(ask).toMatchObject({ do: "count", room: "12" });
    store.counted("12", ask?.do === "count" ? ask.tag : 0, { ...general(10), room: "12", read_seq: 5, unread: 3, mentions: 0, created_at: "" });
    expect(store.rooms.get("12")).toMatchObject({ unread: 3, mentions: 0, isSure: true });
    expect(store.tick(6_000).effects).toEqual([]);
  });

  describe("the room with oneself alone", () => {
    const notes = (rest: Partial<RoomState> = {}): RoomState => ({ room: "7", kind: "direct", users: [{ user_id: 1, username: "alice" }], seq: 5, read_seq: 5, unread: 0, mentions: 0, ...rest });
    const mine = (id: number, rest: Partial<Message> = {}) => frame(message(id, { room: "7", user_id: 1, username: "alice", ...rest }));
    const unread = () => store.rooms.get("7")?.unread;
    const read = (seq: number) => store.frame(0, { type: "read", room: "7", user_id: 1, seq, unread: 0, mentions: 0, at: seq } as unknown as Heard);
    const write = (id: string) => store.outbox.put({ client_id: id, order: 1, room: "7", deed: { do: "post" }, content: "x", at: 0, delivery: "waiting", is_tried: true });
    const ack = (ref: string, seq: number) => store.frame(0, { type: "ack", ref, room: "7", id: seq, seq, timestamp: "2026-11-27T10:00:00Z", duplicate: false } as unknown as Heard);

    it("is unread when something came there that no device has shown", () => {
      store.frame(0, hello([general(1), notes({ seq: 6 })]));
      expect(unread()).toBe(1);
      read(6);
      expect(unread()).toBe(0);
      store.frame(0, mine(7));
      expect(unread()).toBe(1);
      store.frame(0, { type: "room", room: "7", changed: ["hidden"], hidden: true, seq: 7 } as unknown as Heard);
      expect(unread()).toBe(0);
    });

    it("is not for what one writes there oneself, unless something came before that", () => {
      store.frame(0, hello([general(1), notes()]));
      write("a"), ack("a", 6), store.frame(0, mine(6, { client_id: "a" }));
      expect(unread()).toBe(0);
      write("b"), store.frame(0, mine(7, { client_id: "b" })), ack("b", 7);
      expect(unread()).toBe(0);
      store.frame(0, mine(8));
      write("c"), ack("c", 9), store.frame(0, mine(9, { client_id: "c" }));
      expect(unread()).toBe(1);
      read(9);
      expect(unread()).toBe(0);
      read(4);
      expect(unread()).toBe(1);
    });
  });

  it("tells of what is said to those who are there, and does not count it as a mention", () => {
    filled(1);
    const out = store.frame(0, frame(message(2, { mentions: [{ from: 0, to: 5, here: true }] })));
    expect(out.news).toContainEqual(expect.objectContaining({ about: "came", isMention: true }));
    expect(store.rooms.get("general")).toMatchObject({ unread: 1, mentions: 0 });
  });

  it("goes on where it was after a cut, in one sync for all rooms", () => {
    filled(3);
    store.closed(undefined);
    const out = store.frame(0, hello([general(5)]));
    expect(said(out)).toMatchObject([{ type: "sync", ref: "sync t", rooms: { general: 3 }, epoch: "e" }]);
    store.frame(0, frame(message(5)));
    expect(store.rooms.get("general")?.timeline.last?.id).toBe(3);
    store.frame(0, frame(message(4)));
    store.frame(0, { type: "synced", ref: "sync t", rooms: { general: { seq: 5, complete: true } } });
    expect(store.rooms.get("general")?.timeline.messages.map((one) => one.id)).toEqual([1, 2, 3, 4, 5]);
    expect(store.isCatchingUp).toBe(false);
  });

  it("asks a server that takes short frames in parts", () => {
    const rooms = Array.from({ length: 60 }, (_, n) => ({ ...general(1), room: String(100 + n), name: `r${n}` }));
    store.frame(0, hello(rooms));
    store.closed(undefined);
    const asked: string[] = [];
    let out = store.frame(0, hello(rooms, { limits: { ...LIMITS, frame_bytes: 1_024 } }));
    for (let turn = 0; turn < 10 && said(out).length > 0; turn++) {
      const sync = said(out)[0] as Extract<Said, { type: "sync" }>;
      expect(JSON.stringify(sync).length).toBeLessThanOrEqual(1_024);
      asked.push(...Object.keys(sync.rooms));
      out = store.frame(0, { type: "synced", ref: "sync t", rooms: Object.fromEntries(Object.keys(sync.rooms).map((key) => [key, { seq: 1, complete: true }])) });
    }
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.length).toBeGreaterThanOrEqual(60);
  });

  it("keeps what it held of a room that one is taken out of, and refuses what waits there", () => {
    filled(2);
    store.outbox.put({ client_id: "a", order: 1, room: "general", deed: { do: "post" }, content: "x", at: 0, delivery: "waiting", is_tried: false });
    store.frame(0, { type: "room", room: "general", gone: true } as Heard);
    expect(store.rooms.get("general")).toMatchObject({ isGone: true });
    expect(store.rooms.get("general")?.timeline.messages).toHaveLength(2);
    expect(store.outbox.find("a")).toMatchObject({ delivery: "refused", code: "gone" });
  });

  it("reads rooms that the first frame leaves out, and forgets those that are on no page", () => {
    store.frame(0, hello([general(1), { ...general(1), room: "7", name: "old" }]));
    store.closed(undefined);
    const out = store.frame(0, hello([general(1)], { more_rooms: 1 }));
    const [list] = out.effects.filter((one) => one.do === "list");
    store.listed(0, list?.tag ?? 0, { rooms: [{ ...general(4), room: "9", kind: "direct", created_at: "" }], next: undefined });
    expect(store.rooms.get("9")?.isGone).toBe(false);
    expect(store.rooms.get("7")?.isGone).toBe(true);
  });

  it("tells a tab that comes later how all stands now", () => {
    filled(3);
    store.frame(0, frame(message(4)));
    const late = new Store("late");
    const told = store.hello();
    expect(told?.rooms[0]).toMatchObject({ room: "general", seq: 4, unread: 1 });
    const [ask] = fetched(late.frame(0, { type: "system", event: "connected", message: "", ...told } as unknown as Heard));
    late.frame(0, frame(message(5)));
    if (ask) late.page(0, ask, { messages: [1, 2, 3, 4].map((id) => message(id)), more: false });
    store.frame(0, frame(message(5)));
    const shown = (one: Store) => one.rooms.get("general")?.timeline.messages.map(({ id }) => id);
    expect(shown(late)).toEqual(shown(store));
    expect(late.rooms.get("general")?.unread).toBe(2);
  });

  it("begins with what was kept, and drops it when history was replaced", () => {
    filled(3);
    const kept = store.snapshot();
    for (const [epoch, ids] of [["e", [1, 2, 3]], ["other", []]] as const) {
      const next = new Store("n");
      if (kept) next.restore(kept);
      expect(next.rooms.get("general")?.timeline.messages).toHaveLength(3);
      next.frame(0, hello([general(3)], { epoch }));
      expect(next.rooms.get("general")?.timeline.messages.map((one) => one.id)).toEqual(ids);
      expect(next.wasRestored).toBe(epoch === "other");
    }
  });

  it("keeps a message as what came later has made it: with its replies, reactions and pin, edited or deleted", () => {
    filled(4);
    const under = (count: number, seq: number) => ({ count, last_id: count && 5, seq, users: count ? [{ user_id: 2, username: "bob" }] : [] });
    const again = () => {
      const kept = structuredClone(store.snapshot()), next = new Store("n");
      if (kept) next.restore(kept);
      return next.rooms.get("general");
    };
    store.frame(0, frame(message(5, { thread: 1, thread_replies: under(1, 5) })));
    expect(again()?.threads.replies(1)).toEqual(under(1, 5));
    // What changes the first message tells of its replies as they were when that was read.
    store.frame(0, frame(message(1, { seq: 6, reactions: [{ emoji: "👍", count: 1, users: [] }], replies: under(0, 4) }), "message_changed"));
    store.frame(0, frame(message(2, { seq: 7, edited_at: "x", content: "mended" }), "message_changed"));
    store.frame(0, frame(message(3, { seq: 8, deleted_at: "x", content: "" }), "message_changed"));
    store.frame(0, frame(message(4, { seq: 9, pinned: { by: 2, at: "x" } }), "message_changed"));
    expect(again()?.timeline.messages).toMatchObject([{ reactions: [{ emoji: "👍" }], replies: under(1, 5) }, { content: "mended" }, { deleted_at: "x" }, { pinned: { by: 2 } }]);
    store.frame(0, frame(message(5, { seq: 10, thread: 1, deleted_at: "x", content: "", thread_replies: under(0, 10) }), "message_changed"));
    expect([again()?.threads.replies(1), again()?.follower.cursor]).toEqual([under(0, 10), 10]);
  });

  it("reads anew what an earlier release has kept, which may lack replies that came later", () => {
    filled(3);
    const { form: _, ...kept } = store.snapshot() ?? { epoch: "e", rooms: [] };
    const next = new Store("n");
    next.restore(kept);
    expect(fetched(next.frame(0, hello([general(3)])))).toMatchObject([{ room: "general", query: { at: "latest" } }]);
    expect(next.wasRestored).toBe(false);
  });

  it("shows one's own message once, whether its answer or itself comes first", () => {
    for (const isAckFirst of [true, false]) {
      store = new Store("t");
      filled(1);
      store.outbox.put({ client_id: "a", order: 1, room: "general", deed: { do: "post" }, content: "mine", at: 0, delivery: "waiting", is_tried: false });
      expect(store.nextFrames(0)).toMatchObject([{ type: "message", client_id: "a" }]);
      const ack = { type: "ack", ref: "a", room: "general", id: 2, seq: 2, timestamp: "2026-11-27T10:00:00.000000+00:00", duplicate: false } as Heard;
      const own = frame(message(2, { user_id: 1, username: "alice", content: "mine", client_id: "a" }));
      for (const one of isAckFirst ? [ack, own] : [own, ack]) store.frame(0, one);
      expect(store.rooms.get("general")?.timeline.messages.map((one) => one.content)).toEqual(["message 1", "mine"]);
      expect(store.outbox.all).toEqual([]);
      expect(store.rooms.get("general")?.unread).toBe(0);
    }
  });
});
