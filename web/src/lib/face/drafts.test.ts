import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refusal } from "$lib/api/http";
import type { Client } from "./client.svelte";
import { Drafts } from "./drafts";

const asked: string[] = [];
let answer: () => Promise<unknown>;
const client = { me: { id: 1, username: "ann" }, isConnected: true, store: { rooms: new Map(), epoch: undefined as string | undefined }, session: {
  ask: (method: string, address: string, body?: { content: string }) => {
    asked.push(`${method} ${address}${body ? ` ${body.content}` : ""}`);
    return answer();
  },
} };
const make = () => new Drafts(client as unknown as Client);
const GET = "GET /api/rooms/general/draft", PUT = "PUT /api/rooms/general/draft", DELETE = "DELETE /api/rooms/general/draft";

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  client.isConnected = true;
  client.store.epoch = undefined;
  answer = async () => ({ body: {} });
});
afterEach(() => {
  vi.useRealTimers();
  localStorage.clear();
});

describe("what is given back", () => {
  it("stands where one writes, if nothing stands there, and is taken away again only as it was", () => {
    const drafts = make(), heard = vi.fn();
    drafts.hear(heard);
    const takeAway = drafts.giveBack("general", 7, "for nine");
    expect([drafts.read("general", 7), drafts.given("general", 7), heard.mock.calls.length]).toEqual(["for nine", [], 1]);
    takeAway();
    expect(drafts.read("general", 7)).toBe("");
    const late = drafts.giveBack("general", 7, "for nine");
    drafts.write("general", 7, "for nine, or ten");
    late();
    expect(drafts.read("general", 7)).toBe("for nine, or ten");
  });

  it("is kept beside what stands there, also for the next page, until it is put there or thrown away", async () => {
    const drafts = make();
    drafts.write("general", undefined, "begun");
    await drafts.flush();
    const takeAway = drafts.giveBack("general", undefined, "for nine");
    drafts.giveBack("general", undefined, "for ten");
    expect([drafts.read("general", undefined), make().given("general", undefined)]).toEqual(["begun", ["for nine", "for ten"]]);
    // They are on this device alone: signing out asks.
    expect(drafts.untold).toBe(2);
    takeAway();
    expect(drafts.given("general", undefined)).toEqual(["for ten"]);
    drafts.drop("general", undefined, "for ten");
    expect([drafts.given("general", undefined), drafts.untold]).toEqual([[], 0]);
    drafts.giveBack("general", undefined, "for ten");
    drafts.wipe();
    expect(make().given("general", undefined)).toEqual([]);
  });
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
    // It may have been heard without an answer; else there is nothing to be told.
    answer = async () => ({ body: { content: "sent while offline", updated_at: new Date(Date.now() - 3_000).toISOString() } });
    await drafts.flush();
    answer = async () => ({ body: {} });
    await drafts.flush();
    expect(asked.slice(2)).toEqual([GET, DELETE]);
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
    drafts.ofEdit("general", 3, "an edit").keep("half an edi");
    expect(make().ofEdit("general", 3, "an edit").read()).toBe("half an edi");
    drafts.wipe();
    expect(make().ofEdit("general", 3, "an edit").read()).toBeUndefined();
  });

  it("is no edit any more when the message says something else by now, or nothing", () => {
    const drafts = make();
    drafts.ofEdit("general", 3, "helo").keep("hello");
    expect(drafts.ofEdit("general", 3, "hello from the phone").read()).toBeUndefined();
    // It is not lost: it stands beside what is written.
    expect([drafts.given("general", undefined), drafts.leftEdits("general")]).toEqual([["hello"], []]);
    drafts.drop("general", undefined, "hello");
    expect(drafts.untold).toBe(0);
    drafts.ofEdit("general", 3, "helo").keep("hello");
    drafts.dropEdit("general", 3);
    expect(drafts.untold).toBe(0);
    // Kept before it was kept with what it was made of.
    localStorage.setItem("parlour.edit.1.general.3", "hello");
    expect(drafts.ofEdit("general", 3, "helo").read()).toBeUndefined();
  });

  it("comes back when its message is deleted by another, if it is something", () => {
    const drafts = make();
    drafts.ofEdit("general", 3, "helo").keep("hello");
    expect([drafts.giveBackEdit("general", 3, 7), drafts.given("general", 7), drafts.leftEdits("general")]).toEqual(["hello", ["hello"], []]);
    for (const nothing of ["helo", " "]) {
      drafts.ofEdit("general", 3, "helo").keep(nothing);
      expect(drafts.giveBackEdit("general", 3, 7)).toBeUndefined();
    }
    expect([drafts.given("general", 7), drafts.untold]).toEqual([["hello"], 1]);
  });

  it("is named as an edit that was not finished, while nobody goes on with it, and where it changes something", () => {
    const drafts = make(), heard = vi.fn();
    drafts.ofEdit("general", 3, "an edit").keep("half an edi");
    drafts.ofEdit("general", 4, "the same").keep("the same");
    drafts.ofEdit("general.7", 5, "elsewhere").keep("elsewhere, too");
    expect(drafts.leftEdits("general")).toEqual([3]);
    drafts.hear(heard);
    const leave = drafts.beginEdit("general", 3);
    expect([drafts.leftEdits("general"), heard.mock.calls.length]).toEqual([[], 1]);
    leave();
    expect([drafts.leftEdits("general"), heard.mock.calls.length]).toEqual([[3], 2]);
    drafts.dropEdit("general", 3);
    drafts.dropEdit("general", 3);
    expect([drafts.leftEdits("general"), heard.mock.calls.length]).toEqual([[], 3]);
  });

  it("is here alone, too, when it is an edit that was left", () => {
    make().ofEdit("general", 3, "an edit").keep("half an edi");
    expect(make().untold).toBe(1);
  });

  it("is here alone, too, when an earlier page could not tell it; and is told when there is a connection", async () => {
    answer = async () => { throw new TypeError("no network"); };
    make().write("general", 7, "offline");
    await vi.advanceTimersByTimeAsync(2_000);
    const drafts = make();
    expect(drafts.untold).toBe(1);
    asked.length = 0;
    answer = async () => ({ body: { thread: 7, content: "" } });
    await drafts.flush();
    expect([asked, drafts.untold, make().untold]).toEqual([["GET /api/rooms/general/draft?thread=7", `${PUT}?thread=7 offline`], 0, 0]);
    await drafts.flush();
    expect(asked).toHaveLength(2);
  });

  it("gives way to what another device wrote after an earlier page was left", async () => {
    answer = async () => { throw new TypeError("no network"); };
    make().write("general", undefined, "on the train");
    await vi.advanceTimersByTimeAsync(12_000);
    const drafts = make(), heard = vi.fn();
    drafts.hear(heard);
    answer = async () => ({ body: { content: "at home", updated_at: new Date(Date.now() + 5_000).toISOString() } });
    await drafts.flush();
    expect([drafts.read("general", undefined), heard.mock.calls.length > 0]).toEqual(["at home", true]);
    // Nobody has heard of the other: it stands beside that.
    expect([drafts.given("general", undefined), drafts.untold]).toEqual([["on the train"], 1]);
  });

  describe("and is thrown away or sent on another device", () => {
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    /** What was written here and told; the server's clock is its own. */
    const begin = async (clock = 0) => {
      const drafts = make();
      // What was sent from here before was told in the same words.
      drafts.write("general", undefined, "");
      await vi.advanceTimersByTimeAsync(2_000);
      answer = async () => ({ body: { content: "begun", updated_at: at(clock) } });
      drafts.write("general", undefined, "begun");
      await vi.advanceTimersByTimeAsync(2_000);
      return drafts;
    };
    const told = (drafts: Drafts, ms: number) => drafts.told("general", { content: "", updated_at: at(ms) });

    it("is gone here, too, whatever the clock of this device says", async () => {
      const drafts = await begin(-3_600_000);
      expect([told(drafts, -3_590_000), drafts.read("general", undefined), drafts.untold]).toEqual(["", "", 0]);
      // What is begun there anew is here again, also when it is the same.
      expect(drafts.told("general", { content: "begun", updated_at: at(-3_580_000) })).toBe("begun");
      await vi.advanceTimersByTimeAsync(5_000);
      expect(asked).toEqual([DELETE, `${PUT} begun`]);
    });

    it("stays when something was typed here that was not heard of there", async () => {
      const drafts = await begin();
      answer = () => new Promise(() => {});
      for (const wait of [0, 2_000]) {
        drafts.write("general", undefined, "begun, and more");
        await vi.advanceTimersByTimeAsync(wait); // not told yet, and on its way
        expect([told(drafts, 1), drafts.read("general", undefined)]).toEqual([undefined, "begun, and more"]);
      }
    });

    it("is gone, too, where another device had begun it, and nobody was in the room to hear of its end", async () => {
      client.store.epoch = "one";
      const drafts = make();
      expect(drafts.told("general", { content: "begun there", updated_at: at(0) })).toBe("begun there");
      answer = async () => ({ body: { content: "" } });
      expect(await drafts.fetch("general", undefined)).toBe("");
      await vi.advanceTimersByTimeAsync(5_000);
      expect([asked, drafts.read("general", undefined)]).toEqual([[GET], ""]);
    });

    it("stays when that was said of what was there before it", async () => {
      const drafts = await begin();
      expect([told(drafts, -4_000), drafts.read("general", undefined)]).toEqual([undefined, "begun"]);
    });

    it("is gone, too, when this device was not there to be told, and is not told anew", async () => {
      await begin();
      const drafts = make();
      answer = async () => ({ body: { content: "" } });
      expect(await drafts.fetch("general", undefined)).toBe("");
      await vi.advanceTimersByTimeAsync(5_000);
      expect([asked.slice(2), drafts.read("general", undefined)]).toEqual([["GET /api/rooms/general/draft"], ""]);
    });

    it.each([
      ["the server was restored from before it", { content: "" }, "another"],
      ["what the server has cannot be read", { content: "", unreadable: true }, undefined],
    ])("stays when %s", async (_, body, epoch) => {
      await begin();
      client.store.epoch = epoch;
      const drafts = make();
      answer = async () => ({ body });
      expect([await drafts.fetch("general", undefined), drafts.read("general", undefined)]).toEqual([undefined, "begun"]);
      await vi.advanceTimersByTimeAsync(5_000);
      // What a restored server lacks it is told again.
      expect(asked.slice(2)).toEqual(epoch ? [GET, `${PUT} begun`] : [GET]);
    });

    it("is told here late, and nothing that was written there since is thrown away", async () => {
      const drafts = await begin(-1);
      answer = async () => { throw new TypeError("no network"); };
      drafts.write("general", undefined, "");
      await vi.advanceTimersByTimeAsync(2_000);
      answer = async () => ({ body: { content: "begun, and more", updated_at: at(1) } });
      await drafts.flush();
      await vi.advanceTimersByTimeAsync(5_000);
      expect([asked.slice(2), drafts.read("general", undefined)]).toEqual([[DELETE, GET], "begun, and more"]);
    });

    it("is told one after the other, so that what was written last holds", async () => {
      const drafts = await begin();
      const waiting: (() => void)[] = [];
      answer = () => new Promise((next) => { waiting.push(() => next({ body: {} })); });
      drafts.write("general", undefined, "");
      await vi.advanceTimersByTimeAsync(10);
      drafts.write("general", undefined, "the next");
      await vi.advanceTimersByTimeAsync(2_000);
      expect(asked.slice(2)).toEqual([DELETE]);
      waiting[0]?.();
      await vi.advanceTimersByTimeAsync(1);
      expect(asked.slice(2)).toEqual([DELETE, `${PUT} the next`]);
    });

    it("stays when it was begun while the server was asked", async () => {
      const drafts = make();
      let say: (said: unknown) => void = () => {};
      answer = () => new Promise((next) => { say = next; });
      const asking = drafts.fetch("general", undefined);
      answer = async () => ({ body: { content: "begun", updated_at: at(0) } });
      drafts.write("general", undefined, "begun");
      await vi.advanceTimersByTimeAsync(2_000);
      say({ body: { content: "" } });
      expect([await asking, drafts.read("general", undefined)]).toEqual([undefined, "begun"]);
    });
  });

  describe("and is written on two devices at once", () => {
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    const foreign = (drafts: Drafts, content: string, ms = 0) => drafts.told("general", { content, updated_at: at(ms) });
    const both = (drafts: Drafts) => [drafts.read("general", undefined), drafts.given("general", undefined)];
    /** Both have the same text, and then the server takes what it is told. */
    const begin = async (text: string) => {
      const drafts = make();
      if (text) foreign(drafts, text);
      answer = async () => ({ body: { content: "", updated_at: at(0) } });
      await vi.advanceTimersByTimeAsync(20_000);
      return drafts;
    };

    it.each(["begun", ""])("stays where it is being typed, and what comes stands beside it: behind “%s”", async (text) => {
      const drafts = await begin(text), heard = vi.fn();
      drafts.hear(heard);
      drafts.write("general", undefined, `${text} DESK`);
      await vi.advanceTimersByTimeAsync(1_100);
      drafts.write("general", undefined, `${text} DESK, and`);
      expect([foreign(drafts, `${text} PHONE`, -50), heard.mock.calls.length]).toEqual([undefined, 1]);
      expect(both(drafts)).toEqual([`${text} DESK, and`, [`${text} PHONE`]]);
      expect(drafts.aside("general", undefined)).toBe(`${text} PHONE`);
      // What is typed here is told all the same.
      await vi.advanceTimersByTimeAsync(2_000);
      expect([asked, both(drafts)]).toEqual([[`${PUT} ${text} DESK, and`], [`${text} DESK, and`, [`${text} PHONE`]]]);
    });

    it.each(["begun", ""])("stays where it was typed a moment ago and is told already: behind “%s”", async (text) => {
      const drafts = await begin(text);
      drafts.write("general", undefined, `${text} PHONE`);
      await vi.advanceTimersByTimeAsync(1_300);
      expect(foreign(drafts, `${text} DESK`)).toBeUndefined();
      expect(both(drafts)).toEqual([`${text} PHONE`, [`${text} DESK`]]);
      // What goes on there takes the place of that, once, also long after, and for the next page, which tells nothing over it.
      await vi.advanceTimersByTimeAsync(60_000);
      const next = make();
      answer = async () => ({ body: { content: `${text} DESK, and`, updated_at: at(0) } });
      expect(await next.fetch("general", undefined)).toBeUndefined();
      expect(await next.fetch("general", undefined)).toBeUndefined();
      await next.flush();
      await vi.advanceTimersByTimeAsync(5_000);
      expect(both(next)).toEqual([`${text} PHONE`, [`${text} DESK, and`]]);
      expect(asked.filter((one) => !one.startsWith("GET"))).toEqual([`${PUT} ${text} PHONE`]);
    });

    it("is not thrown away there when it is sent here, and not here when it is sent there", async () => {
      for (const isSentHere of [true, false]) {
        localStorage.clear();
        asked.length = 0;
        const drafts = await begin("begun");
        drafts.write("general", undefined, "begun PHONE");
        await vi.advanceTimersByTimeAsync(1_300);
        foreign(drafts, "begun DESK");
        if (isSentHere) drafts.write("general", undefined, "");
        else expect(foreign(drafts, "", 10)).toBeUndefined();
        await vi.advanceTimersByTimeAsync(5_000);
        expect(both(drafts)).toEqual(isSentHere ? ["", ["begun DESK"]] : ["begun PHONE", []]);
        if (isSentHere) foreign(drafts, "");
        expect(drafts.given("general", undefined)).toEqual([]);
        // The server has what was not sent.
        expect(asked).toEqual(isSentHere ? [`${PUT} begun PHONE`] : [`${PUT} begun PHONE`, `${PUT} begun PHONE`]);
      }
    });

    it("is one again when the other is put behind it, and is here alone no more when that is thrown away", async () => {
      const drafts = await begin("begun");
      drafts.write("general", undefined, "begun PHONE");
      await vi.advanceTimersByTimeAsync(1_300);
      foreign(drafts, "begun DESK");
      drafts.drop("general", undefined, "begun DESK");
      await vi.advanceTimersByTimeAsync(2_000);
      expect([asked, both(drafts), drafts.untold]).toEqual([[`${PUT} begun PHONE`, `${PUT} begun PHONE`], ["begun PHONE", []], 0]);
      foreign(drafts, "begun DESK", 10);
      expect(foreign(drafts, "begun DESK\nbegun PHONE", 20)).toBe("begun DESK\nbegun PHONE");
      expect([both(drafts), drafts.aside("general", undefined)]).toEqual([["begun DESK\nbegun PHONE", []], undefined]);
      // What was given back is not offered where it stands.
      drafts.giveBack("general", undefined, "the next");
      const heard = vi.fn();
      drafts.hear(heard);
      foreign(drafts, "the next", 30);
      expect([both(drafts), heard.mock.calls.length]).toEqual([["the next", []], 1]);
    });

    it("is replaced by what goes on with it, and by what was begun when nobody was at it any more", async () => {
      const drafts = await begin("");
      drafts.write("general", undefined, "begun");
      await vi.advanceTimersByTimeAsync(1_300);
      expect(foreign(drafts, "begun, and more")).toBe("begun, and more");
      expect(foreign(drafts, "another", 10)).toBe("another");
      drafts.write("general", undefined, "begun anew");
      await vi.advanceTimersByTimeAsync(30_000);
      expect(foreign(drafts, "the next")).toBe("the next");
      expect(drafts.given("general", undefined)).toEqual([]);
    });

    it("is left to the tab in which it is typed", async () => {
      const drafts = await begin("begun"), other = make();
      drafts.write("general", undefined, "begun PHONE");
      await vi.advanceTimersByTimeAsync(1_300);
      for (const one of [other, drafts, other]) expect(foreign(one, "begun DESK")).toBeUndefined();
      expect(both(other)).toEqual(["begun PHONE", ["begun DESK"]]);
    });
  });

  it("is here alone where the room is gone, and its text is not", async () => {
    const drafts = make();
    client.store.rooms.set("7", { isGone: true });
    drafts.write("7", undefined, "for a room that is gone");
    await vi.advanceTimersByTimeAsync(2_000);
    await drafts.flush();
    expect([asked, drafts.untold]).toEqual([[], 1]);
    // Whoever is in it again has it told.
    client.store.rooms.clear();
    await drafts.flush();
    expect([asked, drafts.untold]).toEqual([["GET /api/rooms/7/draft", "PUT /api/rooms/7/draft for a room that is gone"], 0]);
  });

  it("is told again when a server has time again that was asked too often", async () => {
    const drafts = make();
    answer = async () => { throw new Refusal(429, "rate_limited", "Too often.", 5_000); };
    drafts.write("general", undefined, "begun");
    await vi.advanceTimersByTimeAsync(2_000);
    answer = async () => ({ body: {} });
    await vi.advanceTimersByTimeAsync(4_000);
    expect([asked.length, drafts.untold]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([asked.length, drafts.untold]).toEqual([2, 0]);
  });

  it("is told no more once the login is over, also when the answer comes then", async () => {
    const drafts = make();
    answer = async () => { drafts.end(); throw new Refusal(429, "rate_limited", "Too often.", 5_000); };
    drafts.write("general", undefined, "begun");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toHaveLength(1);
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
