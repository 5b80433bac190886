import { expect, it } from "vitest";
import type { Pending } from "$lib/store/outbox";
import { textOf } from "./edits";

const made = (id: number, content: string, delivery: Pending["delivery"] = "waiting") => ({ deed: { do: "edit", id }, content, delivery }) as Pending;

it("begins an edit with what one has made of the message already", () => {
  const message = { id: 3, content: "a" };
  expect(textOf(message, [])).toBe("a");
  expect(textOf(message, [made(3, "ab"), made(3, "abc", "sent"), made(4, "x"), made(3, "refused", "refused")])).toBe("abc");
});
