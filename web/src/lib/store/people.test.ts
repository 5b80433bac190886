import { beforeEach, describe, expect, it } from "vitest";
import type { Connected, Heard, Limits, Seen } from "$lib/api/types";
import { Store } from "./store";

const hello = (online: string[]) => ({
  type: "system", event: "connected", message: "", user_id: 1, username: "alice", session: 1, epoch: "e", heartbeat_ms: 25_000, limits: {} as Limits, online,
  rooms: [{ room: "7", kind: "direct", users: [{ user_id: 1, username: "alice" }, { user_id: 2, username: "bob" }, { user_id: 3, username: "carol" }], seq: 0, read_seq: 0, unread: 0, mentions: 0 }],
}) satisfies Connected & { type: string; event: string; message: string } as unknown as Heard;
const presence = (users: Partial<Seen>[], all = false) => ({ type: "presence", users, all }) as unknown as Heard;
const coming = (event: "joined" | "left", ...usernames: string[]) => ({ type: "system", event, message: "", usernames }) as unknown as Heard;

let store: Store;
beforeEach(() => {
  store = new Store("t");
});
const seen = () => [2, 3].map((user) => store.people.presence(user));

describe("who is here", () => {
  it("is shown at once after a reload, and nobody is called offline before the server has told of everyone", () => {
    expect(seen()).toEqual([undefined, undefined]);
    store.frame(0, hello(["alice", "bob"]));
    expect(seen()).toEqual(["online", undefined]);
    store.frame(0, coming("joined", "carol"));
    store.frame(0, coming("left", "bob"));
    expect(seen()).toEqual([undefined, "online"]);
    store.frame(0, presence([{ user_id: 2, username: "bob", state: "dnd" }], true));
    expect(seen()).toEqual(["dnd", "offline"]);
    store.closed(undefined);
    expect(seen()).toEqual([undefined, undefined]);
  });

  it("is told to a tab that comes later", () => {
    store.frame(0, hello(["alice", "bob"]));
    expect(store.hello()?.online).toEqual(["alice", "bob"]);
    store.frame(0, presence([{ user_id: 3, username: "carol", state: "away" }], true));
    expect(store.hello()?.online).toEqual(["carol"]);
  });

  it("is asked for again until the answer has come, and once more after each cut", () => {
    store.frame(0, hello([]));
    const { people } = store;
    expect([people.asks(0), people.asks(1_000), people.asks(6_000), people.asks(6_500)]).toEqual([true, false, true, false]);
    store.frame(7_000, presence([{ user_id: 2, state: "online" }]));
    expect(people.asks(13_000)).toBe(true);
    store.frame(14_000, presence([], true));
    expect(people.asks(90_000)).toBe(false);
    store.closed(1006);
    expect(people.asks(90_001)).toBe(true);
  });
});
