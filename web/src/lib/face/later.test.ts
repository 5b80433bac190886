import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Scheduled } from "$lib/api/types";
import { Room } from "$lib/store/room";
import type { Client } from "./client.svelte";
import { Drafts } from "./drafts";
import { fieldsOf, LaterList, momentOf, moments, wholeBy } from "./later";
import { ui } from "./ui.svelte";

describe("moments that people mean", () => {
  const at = (text: string) => moments(new Date(text)).map((one) => fieldsOf(one.at)).map(({ date, time }) => `${date} ${time}`);

  it("are soon, the next morning and the next Monday morning", () => {
    expect(at("2026-11-25T15:10:00")).toEqual(["2026-11-25 15:30", "2026-11-25 16:10", "2026-11-26 09:00", "2026-11-30 09:00"]);
  });

  it("are never the same twice, and never today when today is Monday", () => {
    expect(at("2026-11-29T15:00:00")).toEqual(["2026-11-29 15:20", "2026-11-29 16:00", "2026-11-30 09:00"]);
    expect(at("2026-11-30T15:00:00").slice(2)).toEqual(["2026-12-01 09:00", "2026-12-07 09:00"]);
  });

  it("have the coming morning for the next one in the small hours", () => {
    expect(at("2026-12-31T02:00:00").slice(2)).toEqual(["2026-12-31 09:00", "2027-01-04 09:00"]);
    expect(moments(new Date("2026-11-27T02:00:00"))[2]?.text).toContain("Today");
    expect(moments(new Date("2026-11-27T10:00:00"))[2]?.text).toContain("Tomorrow");
  });

  it("are all to come, at any time of the year", () => {
    for (let hour = 0; hour < 24 * 366; hour += 5) {
      const now = new Date(2026, 0, 1, hour, 59, 59);
      for (const one of moments(now)) expect(one.at.getTime()).toBeGreaterThan(now.getTime());
    }
  });

  it("say by whose clocks they are meant, where these are not those of one's profile", () => {
    const real = Intl.DateTimeFormat.prototype.resolvedOptions;
    vi.spyOn(Intl.DateTimeFormat.prototype, "resolvedOptions").mockImplementation(function (this: Intl.DateTimeFormat) { return { ...real.call(this), timeZone: "America/New_York" }; });
    const now = new Date("2026-11-27T10:00:00"), last = (zone?: string) => moments(now, zone).map((one) => one.text.endsWith(", New York time"));
    expect(last("Asia/Kolkata")).toEqual([false, false, true, true]);
    for (const zone of [undefined, "America/New_York", "America/Toronto", "Nowhere/Atlantis"]) expect(last(zone)).not.toContain(true);
    expect([wholeBy("2026-11-28T09:00:00Z", "Asia/Kolkata"), wholeBy("2026-11-28T09:00:00Z", null)]).toEqual([expect.stringMatching(/, New York time$/), expect.not.stringContaining("New York")]);
    vi.restoreAllMocks();
  });

  it("are what two fields say, and nothing while these say nothing", () => {
    expect(momentOf("2026-11-27", "09:30")?.getTime()).toBe(new Date(2026, 10, 27, 9, 30).getTime());
    expect([momentOf("", "09:30"), momentOf("2026-11-27", ""), momentOf("2026-02-31x", "09:30")]).toEqual([undefined, undefined, undefined]);
  });
});

describe("a message for later that is taken back", () => {
  const one = { id: 4, room: "7", content: "for nine", send_at: "2099-01-01T00:00:00Z" } as Scheduled;
  const ask = vi.fn(async () => ({ body: { content: "" } }));
  let room: Room, client: Client;

  beforeEach(() => {
    localStorage.clear();
    ui.clear();
    ask.mockClear();
    room = new Room("7", "later");
    client = { me: { id: 1 }, isConnected: true, session: { ask }, store: { rooms: new Map([["7", room]]) }, learn: () => {} } as unknown as Client;
    Object.assign(client, { drafts: new Drafts(client) });
  });

  it("stands where one writes", async () => {
    await new LaterList(client).cancel(one);
    expect([ask.mock.calls.length, client.drafts.read("7", undefined), ui.dialog]).toEqual([1, "for nine", undefined]);
    client.drafts.end();
  });

  it.each([
    ["one is no longer in", () => { room.isGone = true; }],
    ["is archived", () => { room.about.archived_at = "2026-11-27T00:00:00Z"; }],
    ["one is muted in", () => { room.about.muted_until = "2099-01-01T00:00:00Z"; }],
  ])("is copied first, when somebody says so, where it is of a room that %s", async (_, shut) => {
    shut();
    const writeText = vi.fn(async () => {});
    vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
    await new LaterList(client).cancel(one);
    expect([ask.mock.calls.length, client.drafts.read("7", undefined)]).toEqual([0, ""]);
    if (ui.dialog?.is !== "confirm") throw new Error("nobody was asked");
    expect(ui.dialog.text).toContain("for nine");
    ui.dialog.do();
    await vi.waitFor(() => expect(ask).toHaveBeenCalledWith("DELETE", "/api/scheduled/4"));
    expect(writeText).toHaveBeenCalledWith("for nine");
    vi.unstubAllGlobals();
  });

  it("stays for later where nothing can be copied", async () => {
    room.isGone = true;
    vi.stubGlobal("navigator", { ...navigator, clipboard: undefined });
    document.execCommand = () => false;
    await new LaterList(client).cancel(one);
    if (ui.dialog?.is === "confirm") ui.dialog.do();
    await vi.waitFor(() => expect(ui.toasts.at(-1)?.text).toContain("lets nothing be copied"));
    expect(ask).not.toHaveBeenCalled();
    vi.unstubAllGlobals();
  });
});
