import { describe, expect, it } from "vitest";
import type { Message } from "$lib/api/types";
import { Follower, type Step } from "./follower";

const live = (seq: number): Message => ({
  id: seq, seq, room: "general", user_id: 2, username: "bob", content: `message ${seq}`, created_at: "2026-11-27T10:00:00.000000+00:00",
});
const stored = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => live(from + n));
const shown = (steps: Step[]) => steps.flatMap((step) => (step.do === "show" ? step.messages.map((one) => one.seq) : []));
const asks = (steps: Step[]) => steps.filter((step) => step.do !== "show").map((step) => step.do);

function reader(seq: number): Follower {
  const follower = new Follower("pages");
  expect(asks(follower.connected(seq, true))).toEqual(["fetch_latest"]);
  follower.latest(stored(1, seq));
  return follower;
}

describe("a room is followed without a hole", () => {
  it("shows once and in order what is written while the first page loads", () => {
    const follower = new Follower("pages");
    follower.connected(2, true);
    expect(follower.message(live(3))).toEqual([]);
    expect(follower.message(live(4))).toEqual([]);
    // The page was read after 3 was stored, and before 4 was.
    expect(shown(follower.latest(stored(1, 3)))).toEqual([1, 2, 3, 4]);
    expect(shown(follower.message(live(5)))).toEqual([5]);
  });

  it("asks on a return for what was missed, and mixes it with what is live", () => {
    const follower = reader(2);
    expect(asks(follower.connected(4, true))).toEqual(["sync"]);
    expect(follower.cursor).toBe(2);
    expect(follower.message(live(5))).toEqual([]);
    expect(shown(follower.message(live(3)))).toEqual([3]);
    expect(shown(follower.message(live(4)))).toEqual([4, 5]);
    expect(follower.synced(4, true)).toEqual([]);
    expect(follower.cursor).toBe(5);
  });

  it("reads page by page what is more than one answer holds", () => {
    const follower = reader(2);
    follower.connected(300, true);
    expect(follower.synced(2, false)).toEqual([{ do: "fetch_since", seq: 2 }]);
    const steps = follower.page(stored(3, 202), true);
    expect(shown(steps)).toHaveLength(200);
    expect(steps.at(-1)).toEqual({ do: "fetch_since", seq: 202 });
    follower.message(live(301));
    expect(shown(follower.page(stored(203, 300), false))).toEqual([...Array.from({ length: 98 }, (_, n) => 203 + n), 301]);
  });

  it("forgets a history that was replaced, also under the same name", () => {
    expect(asks(reader(9).connected(4, true))).toEqual(["forget", "fetch_latest"]);
    expect(asks(reader(2).connected(4, false))).toEqual(["forget", "fetch_latest"]);
    expect(asks(reader(2).refused("epoch_changed"))).toEqual(["forget", "fetch_latest"]);
    expect(asks(reader(2).refused("busy"))).toEqual(["pause"]);
  });

  it("syncs when something is missing before what has come, and when the server could not send all", () => {
    const follower = reader(2);
    expect(asks(follower.message(live(4)))).toEqual(["sync"]);
    expect(asks(follower.lag(7))).toEqual([]);
    expect(asks(follower.synced(4, true))).toEqual(["sync"]);
    expect(asks(reader(2).lag(3))).toEqual(["sync"]);
  });

  it("does not show a message as it was before the page that has it", () => {
    const follower = new Follower("pages");
    follower.connected(2, true);
    follower.latest([live(1), { ...live(2), seq: 4, content: "edited" }]);
    expect(shown(follower.message(live(3)))).toEqual([3]);
    expect(shown(follower.message({ ...live(2), seq: 4 }))).toEqual([]);
    expect(follower.cursor).toBe(4);
  });
});
