import { describe, expect, it, vi } from "vitest";
import type { Message, Notify, RoomState, Scheduled } from "$lib/api/types";
import { Store } from "$lib/store/store";
import { Room } from "$lib/store/room";
import type { Client } from "./client.svelte";
import { dropRead, isQuiet, isWanted, remind, tell } from "./notices";
import { ui } from "./ui.svelte";

const at = (time: string) => new Date(`2026-01-15T${time}:00Z`);
const message = (rest: Partial<Message> = {}): Message => ({ id: 5, seq: 5, room: "7", user_id: 2, username: "bob", content: "x", created_at: "2026-01-15T10:00:00+00:00", ...rest });

describe("quiet hours", () => {
  const during = (quiet_hours: string, times: string[], time_zone?: string) => times.map((time) => isQuiet({ quiet_hours, time_zone }, at(time)));

  it("hold from their first minute until their last one, over midnight, too", () => {
    expect(during("09:00-17:00", ["08:59", "09:00", "16:59", "17:00"])).toEqual([false, true, true, false]);
    expect(during("22:00-07:00", ["21:59", "22:00", "00:00", "06:59", "07:00"])).toEqual([false, true, true, true, false]);
  });

  it("go by the clocks of one's own time zone, wherever this device is, and by UTC where there is none", () => {
    expect(during("22:00-07:00", ["20:59", "21:00", "05:59", "06:00"], "Europe/Berlin")).toEqual([false, true, true, false]);
    expect(during("22:00-07:00", ["16:30"], "Asia/Kolkata")).toEqual([true]);
    expect(during("22:00-07:00", ["22:00"], "Nowhere/At_All")).toEqual([true]);
  });

  it("are none when there are none", () => {
    expect([isQuiet({}, at("03:00")), isQuiet({ quiet_hours: "nonsense" }, at("03:00"))]).toEqual([false, false]);
  });
});

describe("what is told", () => {
  const client = (kind: "public" | "direct", notify?: Notify) => {
    const store = new Store("t");
    const room = new Room("7", "later");
    room.tell({ room: "7", kind, seq: 4, read_seq: 4, unread: 0, mentions: 0, notify } as RoomState);
    store.rooms.set("7", room);
    return { store, me: { id: 1, username: "alice" } } as unknown as Client;
  };
  const wanted = (one: Client, rest: Partial<Message> = {}, isMention = false, followed: string[] = [], isWhole = false) => isWanted(one, message(rest), isMention, { threads: new Set(followed), isWhole });

  it("goes by the level of the room: everything, what mentions one, nothing", () => {
    const levels = (["all", "mentions", "nothing"] as const).map((level) => client("public", level));
    expect(levels.map((one) => wanted(one))).toEqual([true, false, false]);
    expect(levels.map((one) => wanted(one, {}, true))).toEqual([true, true, false]);
    expect([wanted(client("direct")), wanted(client("public"))]).toEqual([true, false]);
  });

  it("is in a thread only what one follows, or what mentions one", () => {
    const one = client("public", "all");
    expect([wanted(one, { thread: 3 }), wanted(one, { thread: 3 }, true), wanted(one, { thread: 3, also_to_room: true })]).toEqual([false, true, true]);
    expect(wanted(one, { thread: 3 }, false, ["7 3"])).toBe(true);
    one.store.rooms.get("7")?.threads.take(message({ id: 4, seq: 4, thread: 3, user_id: 1 }));
    expect(wanted(one, { thread: 3 })).toBe(true);
    // Who has stopped following it is told of it no more, though they have written in it.
    expect(wanted(one, { thread: 3 }, false, [], true)).toBe(false);
  });

  it("is nothing while one is not to be disturbed", () => {
    const one = client("public", "all");
    one.store.people.toldPresence({ users: [{ user_id: 1, username: "alice", state: "dnd" }] });
    expect(wanted(one, {}, true)).toBe(false);
  });
});

describe("a reply in a thread that is read on another device", () => {
  const notices: { tag: string; close: () => void }[] = [];
  const closed: string[] = [];
  class Notice {
    static permission = "granted";
    onclose = () => {};
    readonly tag: string;
    constructor(_: string, { tag }: { tag: string }) {
      this.tag = tag;
      notices.push(this);
    }
    close() {
      closed.push(this.tag);
    }
  }
  const read = (store: Store, thread: number, seq: number) => store.frame(0, { type: "read", room: "7", user_id: 1, seq, thread, unread: 0, mentions: 0, at: seq } as never);

  it("is told no more, and what was told of it goes", () => {
    vi.useFakeTimers();
    vi.stubGlobal("Notification", Notice);
    localStorage.setItem("parlour.notices", "on");
    vi.spyOn(document, "hasFocus").mockReturnValue(false);
    const store = new Store("t"), room = new Room("7", "later");
    store.userId = 1;
    room.tell({ room: "7", kind: "direct", seq: 4, users: [] } as unknown as RoomState);
    store.rooms.set("7", room);
    const client = { store, me: { id: 1, username: "alice" }, isLeader: true, name: () => "bob" } as unknown as Client;
    const followed = { threads: new Set(["7 3"]), isWhole: true };
    tell(client, message({ thread: 3 }), true, followed);
    vi.advanceTimersByTime(2_000);
    expect(notices.map(({ tag }) => tag)).toEqual(["7 5"]);
    // The next one is read before it is told.
    tell(client, message({ id: 6, seq: 6, thread: 3 }), true, followed);
    expect(read(store, 3, 6).news).toContainEqual({ about: "thread_read", room: "7", thread: 3 });
    dropRead(client, "7", 3);
    vi.advanceTimersByTime(2_000);
    expect([notices.length, closed]).toEqual([1, ["7 5"]]);
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    localStorage.clear();
  });
});

it("a reminder that has come is there until it is closed: whoever was away sees it", () => {
  vi.useFakeTimers();
  ui.clear();
  remind({ isLeader: false, store: new Store("t") } as Client, { room: "7", content: "Call **Bob**" } as Scheduled);
  vi.advanceTimersByTime(86_400_000);
  expect(ui.shown.map(({ text, action }) => [text, action?.text])).toEqual([["Call Bob", "Show"]]);
  vi.useRealTimers();
});
