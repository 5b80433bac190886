import { beforeEach, describe, expect, it } from "vitest";
import type { Ack, ErrorFrame } from "$lib/api/types";
import { ANSWER_TIME, Outbox, tooLong, type Deed, type Pending } from "./outbox";

const LIMITS = { frame_bytes: 1_000, content_bytes: 800 };
let outbox: Outbox, order = 0;

const entry = (client_id: string, deed: Deed = { do: "post" }, content = client_id, room = "general"): Pending => ({
  client_id, order: ++order, room, deed, content, at: 0, delivery: "waiting", is_tried: false,
});
const next = (now: number) => outbox.next(now, LIMITS, () => true).map((frame) => frame.ref);
const ack = (ref: string): Ack => ({ ref, room: "general", id: 1, seq: 1, timestamp: "", duplicate: false });
const refusal = (ref: string, rest: Partial<ErrorFrame> = {}): ErrorFrame => ({ ref, code: "validation_error", detail: "Some sentence.", ...rest });

beforeEach(() => {
  outbox = new Outbox();
  for (const id of ["a", "b"]) outbox.put(entry(id));
});

describe("what is sent is sent honestly", () => {
  it("goes one by one, and again under the same id after a lost connection", () => {
    expect(next(0)).toEqual(["a"]);
    expect(next(0)).toEqual([]);
    outbox.disconnected();
    expect(outbox.find("a")).toMatchObject({ delivery: "waiting", is_tried: true });
    expect(next(0)).toEqual(["a"]);
    expect(outbox.acked(ack("a"))).toBeDefined();
    expect(outbox.acked(ack("a"))).toBeUndefined();
    expect(next(0)).toEqual(["b"]);
  });

  it("goes again when no answer comes", () => {
    next(0);
    expect(next(ANSWER_TIME - 1)).toEqual([]);
    expect(next(ANSWER_TIME)).toEqual(["a"]);
  });

  it("waits as the server asks, and keeps the order", () => {
    next(0);
    expect(outbox.refused(0, refusal("a", { retry_after_ms: 700 }))).toBe(true);
    expect(next(699)).toEqual([]);
    expect(next(700)).toEqual(["a"]);
  });

  it("lets no edit overwrite what was edited elsewhere, and takes no edit of one's own for that", () => {
    outbox = new Outbox();
    for (const id of ["e", "f"]) outbox.put(entry(id, { do: "edit", id: 7, seq: 5 }));
    const sent = (now: number) => outbox.next(now, LIMITS, () => true);
    expect(sent(0)).toMatchObject([{ type: "edit", ref: "e", if_seq: 5 }]);
    outbox.acked({ ...ack("e"), id: 7, seq: 9 });
    expect(sent(0)).toMatchObject([{ ref: "f", if_seq: 9 }]);
    outbox.acked({ ...ack("f"), id: 7, seq: 12 });
    // Begun before the first of them was stored.
    outbox.put(entry("g", { do: "edit", id: 7, seq: 5 }));
    expect(sent(0)).toMatchObject([{ ref: "g", if_seq: 12 }]);
    outbox.refused(0, refusal("g", { code: "changed_since" }));
    expect(outbox.find("g")).toMatchObject({ delivery: "refused", code: "changed_since", content: "g" });
  });

  it("lets what is no message go before those that slow mode holds back", () => {
    next(0);
    outbox.put(entry("c", { do: "delete", id: 7 }, ""));
    outbox.refused(0, refusal("a", { code: "slow_mode", retry_after_ms: 700 }));
    expect(outbox.hold("general", 0)).toEqual({ left: 700, isSlow: true });
    expect(next(0)).toEqual(["c"]);
  });

  it("holds nothing up for an edit that a slow room refuses, and keeps it with its sentence", () => {
    outbox = new Outbox();
    outbox.put(entry("e", { do: "edit", id: 7 }, "@bob"));
    outbox.put(entry("f"));
    next(0);
    expect(outbox.refused(0, refusal("e", { code: "slow_mode", retry_after_ms: 86_400_000 }))).toBe(true);
    expect(outbox.hold("general", 0)).toBeUndefined();
    expect(outbox.find("e")).toMatchObject({ delivery: "refused", code: "slow_mode", why: "Some sentence." });
    expect(next(0)).toEqual(["f"]);
    outbox.retry("e");
    expect(outbox.find("e")?.delivery).toBe("waiting");
  });

  it("keeps a refused text to be corrected, and holds up no other", () => {
    next(0);
    outbox.refused(0, refusal("a"));
    expect(next(0)).toEqual(["b"]);
    expect(outbox.find("a")).toMatchObject({ delivery: "refused", why: "Some sentence.", content: "a" });
    outbox.retry("a");
    expect(outbox.find("a")?.delivery).toBe("waiting");
    outbox.refused(0, refusal("b"));
    expect(outbox.takeBack("b")?.content).toBe("b");
  });

  it("takes nothing back that may be on the server", () => {
    next(0);
    expect(outbox.takeBack("a")).toBeUndefined();
    outbox.disconnected();
    expect(outbox.takeBack("a")).toBeUndefined();
    expect(outbox.takeBack("b")).toBeDefined();
  });

  it("drops a refused change that has no text, and tells of it", () => {
    outbox = new Outbox();
    outbox.put(entry("d", { do: "react", id: 3, on: true }, "👍"));
    next(0);
    expect(outbox.refused(0, refusal("d"))).toBe(false);
    expect(outbox.all).toEqual([]);
  });

  it("sends to each room by itself", () => {
    outbox.put(entry("g", { do: "post" }, "g", "12"));
    expect(next(0)).toEqual(["a", "g"]);
  });

  it("measures a text as it is stored and as it travels", () => {
    expect(tooLong(LIMITS, "general", "x".repeat(801))).toMatchObject({ kind: "content", bytes: 801 });
    expect(tooLong(LIMITS, "general", '"'.repeat(600))).toMatchObject({ kind: "frame" });
    expect(tooLong(LIMITS, "general", "short")).toBeUndefined();
    outbox = new Outbox();
    outbox.put(entry("q", { do: "post" }, '"'.repeat(600)));
    expect(next(0)).toEqual([]);
    expect(outbox.find("q")).toMatchObject({ delivery: "refused", code: "too_large" });
  });

  it("does not send again what closed the connection for its size", () => {
    next(0);
    outbox.tooLarge();
    outbox.disconnected();
    expect(next(0)).toEqual(["b"]);
  });
});
