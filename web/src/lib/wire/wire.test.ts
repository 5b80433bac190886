import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Heard, Said } from "$lib/api/types";
import { Wire, type Ears } from "./wire";

class Line {
  static all: Line[] = [];
  static OPEN = 1;
  readyState = 1;
  said: Said[] = [];
  onmessage: (event: { data: string }) => void = () => {};
  onclose: (event: { code: number }) => void = () => {};
  constructor() {
    Line.all.push(this);
  }
  send(text: string) {
    this.said.push(JSON.parse(text));
  }
  tell(frame: object) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
  close() {
    this.readyState = 3;
  }
}

/** Locks as a browser has them: one after the other, and free when what was done is done. */
function locks() {
  const tails = new Map<string, Promise<unknown>>();
  const request = (name: string, work: () => Promise<unknown>) => {
    const turn = (tails.get(name) ?? Promise.resolve()).then(work);
    tails.set(name, turn.catch(() => {}));
    return turn;
  };
  return { request };
}

const hello = { type: "system", event: "connected", message: "", epoch: "e", heartbeat_ms: 25_000, rooms: [], user_id: 1, username: "a" };

class Tab implements Ears {
  heard: Heard[] = [];
  closings = 0;
  wire: Wire;
  constructor(name: string) {
    this.wire = new Wire(1, name, async () => ({ ticket: "x" }), this);
  }
  frame(frame: Heard) {
    this.heard.push(frame);
  }
  closed() {
    this.closings += 1;
  }
  status() {}
  outbox() {}
  leads() {}
  hello = () => ({ ...hello, session: 1, limits: {}, online: [] }) as never;
  ended() {}
}

let tabs: Tab[] = [];
const line = () => Line.all.at(-1);
const until = (what: () => unknown) => vi.waitFor(() => expect(what()).toBeTruthy(), { timeout: 2_000 });

beforeEach(async () => {
  vi.stubGlobal("WebSocket", Line);
  Object.defineProperty(navigator, "locks", { value: locks(), configurable: true });
  Line.all = [];
  tabs = [new Tab("one")];
  await until(() => line());
  line()?.tell(hello);
  tabs.push(new Tab("two"));
  await until(() => tabs[1]?.heard.length === 1);
});
afterEach(() => {
  for (const tab of tabs) tab.wire.end();
  Object.defineProperty(navigator, "locks", { value: undefined, configurable: true });
});

it("has one line for all tabs, on which each hears everything and may speak", async () => {
  expect(Line.all).toHaveLength(1);
  line()?.tell({ type: "pong" });
  await until(() => tabs[1]?.heard.some((one) => one.type === "pong"));
  tabs[1]?.wire.say({ type: "typing", room: "general" });
  await until(() => line()?.said.some((one) => one.type === "typing"));
});

it("asks for one sync after the other, whichever tabs want one", async () => {
  const sync = (ref: string): Said => ({ type: "sync", ref, rooms: { general: 1 } });
  tabs[0]?.wire.say(sync("one"));
  tabs[1]?.wire.say(sync("two"));
  await new Promise((soon) => setTimeout(soon, 50));
  expect(line()?.said.map((one) => one.ref)).toEqual(["one"]);
  line()?.tell({ type: "synced", ref: "one", rooms: {} });
  await until(() => line()?.said.length === 2);
});

it("gives the line to another tab when the one that had it goes", async () => {
  tabs[0]?.wire.end();
  await until(() => Line.all.length === 2);
  line()?.tell(hello);
  expect(tabs[1]?.wire.isLeader).toBe(true);
  expect(tabs[1]?.closings).toBeGreaterThan(0);
  expect(tabs[1]?.heard.filter((one) => one.type === "system")).toHaveLength(2);
});
