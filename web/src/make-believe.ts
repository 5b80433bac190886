// A server of make-believe for tests of the whole page, and hands for them.
import "fake-indexeddb/auto";
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { Message } from "$lib/api/types";
import { ui } from "$lib/face/ui.svelte";
import App from "./App.svelte";

export const message = (id: number, rest: Partial<Message> = {}): Message => ({
  id, seq: id, room: "general", user_id: 2, username: "bob", content: `message ${id}`, created_at: `2026-11-27T10:0${id}:00.000000+00:00`, ...rest,
});

export class Line {
  static last: Line | undefined;
  static OPEN = 1;
  readyState = 1;
  said: { type: string; ref?: string; client_id?: string; content?: string; seq?: number }[] = [];
  onmessage: (event: { data: string }) => void = () => {};
  onclose: (event: { code: number }) => void = () => {};
  constructor() {
    Line.last = this;
    setTimeout(() => this.tell({
      type: "system", event: "connected", message: "", user_id: 1, username: "alice", session: 1, epoch: "e", heartbeat_ms: 25_000,
      limits: { content_bytes: 16_384, frame_bytes: 65_536 }, online: [],
      rooms: [
        { room: "general", name: "general", kind: "public", seq: 3, read_seq: 2, unread: 1, mentions: 0, notify: "mentions", role: "member" },
        { room: "7", kind: "direct", users: [{ user_id: 1, username: "alice" }, { user_id: 2, username: "bob" }], seq: 1, read_seq: 0, unread: 1, mentions: 0, notify: "all" },
      ],
    }));
  }
  send(text: string) {
    this.said.push(JSON.parse(text));
  }
  tell(frame: object) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
  close() {}
}

const drafts = new Map<string, string>();

/** What is answered; a function is given what was asked, and may answer with another status. */
export const answers: [RegExp, unknown][] = [
  [/browser\/login|browser\/refresh/, { access_token: "t", token_type: "bearer", expires_in: 1_800, user_id: 1, username: "alice" }],
  [/ws-ticket/, { ticket: "x", expires_in: 30 }],
  [/rooms\/general\/messages/, [message(1), message(2), message(3, { content: "**three** <b>x</b>", reactions: [{ emoji: "👍", count: 1, users: [{ user_id: 2, username: "bob" }] }] })]],
  [/members/, [{ user_id: 1, username: "alice", role: "member", joined_at: "2026-11-27T10:00:00.000000+00:00" }, { user_id: 2, username: "bob", display_name: "Bob B.", role: "owner", joined_at: "2026-11-27T10:00:00.000000+00:00" }]],
  [/reads/, []],
  [/me\/status/, {}],
  [/users\/\d+|users\/me/, { id: 2, username: "bob", display_name: "Bob B.", created_at: "2026-11-27T10:00:00.000000+00:00" }],
  [/users\?/, []],
  [/draft/, (method: string, body: { content?: string } | null, address: string) => {
    if (method !== "GET") drafts.set(address, body?.content ?? "");
    return [200, { content: drafts.get(address) ?? "" }];
  }],
  [/rooms\/general$/, { room: "general", name: "general", kind: "public", seq: 3, members: 2, created_at: "2026-11-27T10:00:00.000000+00:00" }],
];

const usual = [...answers];

export const world: { app: ReturnType<typeof mount> | undefined; /** Nobody answers. */ isDown: boolean } = { app: undefined, isDown: false };
export const open = () => (world.app = mount(App, { target: document.body }));
export const asked: string[] = [];
/** What was sent with it, where there was something. */
export const bodies: string[] = [];
export const text = () => document.body.textContent ?? "";
export const until = (what: () => unknown) => vi.waitFor(() => expect(what()).toBeTruthy(), { timeout: 20_000 });
export const find = <T extends Element = HTMLElement>(selector: string) => document.querySelector<T>(selector);

export function write(field: HTMLTextAreaElement | HTMLInputElement, words: string) {
  field.value = words;
  if (field.type !== "date") field.setSelectionRange(words.length, words.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
export const key = (on: Element | Window, name: string, rest: KeyboardEventInit = {}) => on.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...rest }));

/** What another tab says of the login. */
export function said(word: object) {
  const channel = new BroadcastChannel("parlour-session");
  channel.postMessage(word);
  channel.close();
}

beforeEach(() => {
  ui.clear();
  asked.length = bodies.length = 0;
  drafts.clear();
  answers.splice(0, Infinity, ...usual);
  vi.stubGlobal("WebSocket", Line);
  vi.stubGlobal("fetch", async (address: string, { method, body }: RequestInit) => {
    asked.push(`${method} ${address}`);
    if (typeof body === "string") bodies.push(`${method} ${address} ${body}`);
    if (world.isDown) throw new TypeError("no network");
    const found = answers.find(([path]) => path.test(address))?.[1];
    const [status, said] = typeof found === "function" ? ((await found(method, JSON.parse(String(body ?? "null")), address)) as [number, unknown]) : [found ? 200 : 404, found ?? {}];
    return new Response(status === 204 ? null : JSON.stringify(said), { status, headers: { "content-type": "application/json" } });
  });
  history.replaceState(null, "", "/");
  localStorage.clear();
  document.body.replaceChildren();
});
afterEach(() => {
  if (world.app) void unmount(world.app);
  world.app = undefined;
  world.isDown = false;
});

export async function enter() {
  localStorage.setItem("parlour.who", JSON.stringify({ id: 1, username: "alice" }));
  open();
  await until(() => text().includes("message 2"));
}
