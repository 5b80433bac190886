import { describe, expect, it } from "vitest";
import { Link } from "./link";

const waitOf = (link: Link, now = 0) => (link.status.is === "waiting" ? link.status.until - now : -1);
function connected(random = () => 0.5): Link {
  const link = new Link(random);
  link.open(0);
  link.connected(0, 25_000);
  return link;
}

describe("the connection comes back", () => {
  it("after waits that grow with each failure, and differ", () => {
    let n = 0;
    const link = new Link(() => (n = (n * 16_807 + 11) % 2_147_483_647) / 2_147_483_647);
    const waits = Array.from({ length: 20 }, (_, failure) => {
      link.open(0);
      link.closed(0, undefined);
      expect(waitOf(link)).toBeLessThanOrEqual(Math.min(500 * 2 ** failure, 30_000));
      return waitOf(link);
    });
    expect(new Set(waits).size).toBeGreaterThan(15);
  });

  it("when the server said, and not before", () => {
    const link = connected(() => 1);
    link.returnAfter(1_234);
    link.closed(0, 4001);
    expect(waitOf(link)).toBe(1_734);
    expect(link.tick(1_733)).toEqual([]);
    expect(link.tick(1_734)).toMatchObject([{ do: "open", fresh: false }]);
  });

  it("at once with a fresh token when that has expired, but not in a circle", () => {
    const link = connected();
    expect(link.closed(0, 4401)).toMatchObject([{ do: "open", fresh: true }]);
    expect(link.closed(0, 4401)).toEqual([]);
    expect(link.status.is).toBe("waiting");
  });

  it("not by itself where something has to be changed first", () => {
    expect(connected().closed(0, 4403)).toEqual([{ do: "log_in" }]);
    const link = connected();
    expect(link.closed(0, 1008)).toEqual([]);
    expect(link.status.is).toBe("offline");
    const crowded = connected();
    crowded.closed(0, 4429);
    expect(waitOf(crowded)).toBeGreaterThanOrEqual(20_000);
  });

  it("when nothing was heard for two heartbeats", () => {
    const link = connected();
    expect(link.tick(24_999)).toEqual([]);
    expect(link.tick(25_000)).toEqual([{ do: "ping" }]);
    link.heard(25_100);
    expect(link.tick(50_000)).toEqual([{ do: "ping" }]);
    expect(link.tick(75_101)).toEqual([{ do: "drop" }]);
  });

  it("when a socket never says hello", () => {
    const link = new Link();
    link.open(0);
    expect(link.tick(20_000)).toEqual([]);
    expect(link.tick(20_001)).toEqual([{ do: "drop" }]);
  });
});
