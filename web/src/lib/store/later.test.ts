import { describe, expect, it } from "vitest";
import type { Scheduled, ScheduledChange } from "$lib/api/types";
import { Later, laterNews } from "./later";

const row = (id: number, rest: Partial<Scheduled> = {}): Scheduled =>
  ({ id, client_id: `c${id}`, room: "general", content: `text ${id}`, created_at: "2026-11-27T10:00:00.000000+00:00", send_at: `2026-11-28T10:0${id}:00.000000+00:00`, ...rest });
const told = (later: Later, change: ScheduledChange, scheduled: Scheduled) => later.told({ change, scheduled });
const texts = (later: Later) => later.all.map((one) => one.content);

describe("what is to be said later", () => {
  it("stands in the order of the times, as each change was told", () => {
    const later = new Later();
    later.listed([row(3), row(1), row(2)], later.asks());
    told(later, "changed", row(1, { send_at: "2026-11-29T10:00:00.000000+00:00" }));
    told(later, "cancelled", row(2));
    told(later, "created", row(4));
    told(later, "failed", row(3, { failed: { code: "muted", detail: "You are muted." } }));
    expect([texts(later), later.failed]).toEqual([["text 3", "text 4", "text 1"], 1]);
  });

  it("tells of a reminder whose time has come, and of what could not be said", () => {
    const [message, reminder] = [row(1), row(2, { kind: "reminder" })];
    const news = (change: ScheduledChange, scheduled: Scheduled) => laterNews({ change, scheduled });
    expect(laterNews({ change: "sent", scheduled: reminder, message: 9 })).toEqual({ about: "later", failed: undefined, due: { ...reminder, message: 9 } });
    expect(news("failed", message)).toEqual({ about: "later", failed: message, due: undefined });
    for (const told of [news("sent", message), news("created", reminder), news("cancelled", reminder)]) {
      expect(told).toEqual({ about: "later", failed: undefined, due: undefined });
    }
  });

  it("keeps what was told while the list was on its way", () => {
    const later = new Later();
    later.listed([row(1), row(2)], later.asks());
    const asked = later.asks();
    told(later, "sent", row(1));
    told(later, "created", row(3));
    told(later, "changed", row(2, { content: "mended" }));
    later.listed([row(1), row(2)], asked);
    expect(texts(later)).toEqual(["mended", "text 3"]);
  });

  it("forgets with the next list what was sent without a word", () => {
    const later = new Later();
    told(later, "created", row(1));
    later.listed([row(2)], later.asks());
    expect(texts(later)).toEqual(["text 2"]);
  });

  it("takes no list that was asked for before another one", () => {
    const later = new Later();
    const first = later.asks();
    told(later, "sent", row(1));
    const second = later.asks();
    later.listed([row(2)], second);
    later.listed([row(1), row(2)], first);
    expect(texts(later)).toEqual(["text 2"]);
  });
});
