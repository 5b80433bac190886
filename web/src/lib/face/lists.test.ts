import { describe, expect, it } from "vitest";
import type { Message } from "$lib/api/types";
import { patched, renewed, type Row } from "./lists";

const row = (id: number, minute: number, seq = id): Row => ({
  message: { id, seq, room: "7", content: `${seq}` } as Message, at: `2026-11-27T10:${String(minute).padStart(2, "0")}:00Z`, unread: 0,
});
const ids = (rows: readonly Row[]) => rows.map((one) => one.message.id);

describe("rows that are read again", () => {
  const listed = [row(3, 9), row(2, 8), row(1, 7)];

  it("stand as the list has them, as long as nobody is at them", () => {
    expect(ids(renewed(listed, [row(1, 10), row(3, 9), row(2, 8)], true, false))).toEqual([1, 3, 2]);
  });

  it("keep their places else, with new ones above", () => {
    expect(ids(renewed(listed, [row(4, 11), row(1, 10), row(3, 9), row(2, 8)], true, true))).toEqual([4, 3, 2, 1]);
  });

  it("are gone where the whole list lacks them, and stay where only its beginning was read", () => {
    expect(ids(renewed(listed, [row(3, 9)], true, true))).toEqual([3]);
    expect(ids(renewed(listed, [row(3, 9)], false, true))).toEqual([3, 2, 1]);
    // That one would stand among those that were read.
    expect(ids(renewed(listed, [row(3, 9), row(1, 7)], false, true))).toEqual([3, 1]);
    expect(ids(renewed(listed, [], true, false))).toEqual([]);
  });

  it("say what was told last, however late the answer comes", () => {
    const told = patched(listed, [row(2, 8, 9).message]);
    expect(told[1]?.message.content).toBe("9");
    for (const isHeld of [true, false]) expect(renewed(told, listed, true, isHeld)[1]?.message.content).toBe("9");
    expect(patched(told, [row(2, 8, 5).message])[1]?.message.content).toBe("9");
    expect(patched(listed, [{ ...row(2, 8, 9).message, room: "8" }])).toEqual(listed);
  });
});
