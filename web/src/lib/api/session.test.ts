import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Session, type Who } from "./session";

const answer = (user_id: number, username: string) => new Response(JSON.stringify({ access_token: "t", expires_in: 1_800, user_id, username }), { headers: { "content-type": "application/json" } });

beforeEach(() => localStorage.setItem("parlour.who", JSON.stringify({ id: 1, username: "ann" })));
afterEach(() => localStorage.clear());

it("does not go on as somebody else who has logged in in this browser", async () => {
  vi.stubGlobal("fetch", async () => answer(2, "bob"));
  const session = new Session(), told: [Who | undefined, unknown][] = [];
  session.onchange = (who, why) => told.push([who, why]);
  await expect(session.token()).rejects.toThrow();
  expect(told).toEqual([[undefined, "other"]]);
  expect(localStorage.getItem("parlour.who")).toBeNull();
});

it("goes on as who one was", async () => {
  vi.stubGlobal("fetch", async () => answer(1, "ann"));
  const session = new Session();
  session.onchange = () => expect.unreachable();
  expect(await session.token()).toBe("t");
});
