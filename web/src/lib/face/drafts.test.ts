import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refusal } from "$lib/api/http";
import type { Client } from "./client.svelte";
import { Drafts } from "./drafts";

const asked: string[] = [];
let answer: () => Promise<unknown>;
const client = { me: { id: 1, username: "ann" }, isConnected: true, store: { rooms: new Map() }, session: {
  ask: (method: string, address: string, body?: { content: string }) => {
    asked.push(`${method} ${address}${body ? ` ${body.content}` : ""}`);
    return answer();
  },
} };
const make = () => new Drafts(client as unknown as Client);
const PUT = "PUT /api/rooms/general/draft", DELETE = "DELETE /api/rooms/general/draft";

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  client.isConnected = true;
  answer = async () => ({ body: {} });
});
afterEach(() => {
  vi.useRealTimers();
  localStorage.clear();
});

describe("what was begun to write", () => {
  it("is told at once when one signs out, and then nothing is here alone", async () => {
    const drafts = make();
    drafts.write("general", undefined, "begun");
    expect(drafts.untold).toBe(1);
    await drafts.flush();
    expect([asked, drafts.untold]).toEqual([[`${PUT} begun`], 0]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked).toHaveLength(1);
  });

  it("is told again, as it then is, when the server could not hear it", async () => {
    const drafts = make();
    answer = async () => { throw new TypeError("no network"); };
    drafts.write("general", undefined, "sent while offline");
    await vi.advanceTimersByTimeAsync(2_000);
    drafts.write("general", undefined, "");
    await vi.advanceTimersByTimeAsync(2_000);
    expect([asked, drafts.untold]).toEqual([[`${PUT} sent while offline`, DELETE], 0]);
    answer = async () => ({ body: {} });
    await drafts.flush();
    await drafts.flush();
    expect(asked.slice(2)).toEqual([DELETE]);
  });

  it("is here alone while there is no connection, or when it is not taken, and is not sent again and again", async () => {
    const drafts = make();
    answer = async () => { throw new Refusal(413, "too_large", "Too large."); };
    drafts.write("general", undefined, "far too long");
    await vi.advanceTimersByTimeAsync(2_000);
    await drafts.flush();
    expect([asked, drafts.untold]).toEqual([[`${PUT} far too long`], 1]);
    client.isConnected = false;
    drafts.write("7", undefined, "offline");
    await drafts.flush();
    expect([asked.length, drafts.untold]).toEqual([1, 2]);
  });

  it("is there again as an edit was left, and with it goes when one signs out", () => {
    const drafts = make();
    drafts.ofEdit("general", 3).keep("half an edi");
    expect(make().ofEdit("general", 3).read()).toBe("half an edi");
    drafts.wipe();
    expect(make().ofEdit("general", 3).read()).toBeUndefined();
  });

  it("keeps nobody waiting for a server that does not answer", async () => {
    const drafts = make();
    answer = () => new Promise(() => {});
    drafts.write("general", undefined, "begun");
    const flushed = drafts.flush();
    await vi.advanceTimersByTimeAsync(3_000);
    await flushed;
    expect(drafts.untold).toBe(1);
  });

  it("is told by nobody else when the login is over", async () => {
    const drafts = make();
    drafts.write("general", undefined, "ann's");
    drafts.end();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([asked, drafts.read("general", undefined)]).toEqual([[], "ann's"]);
  });
});
