import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Session, type Who } from "./session";

const answer = (user_id: number, username: string) => new Response(JSON.stringify({ access_token: "t", expires_in: 1_800, user_id, username }), { headers: { "content-type": "application/json" } });

beforeEach(() => localStorage.setItem("parlour.who", JSON.stringify({ id: 1, username: "ann" })));
afterEach(() => localStorage.clear());

it("does not go on as somebody else who has logged in in this browser", async () => {
  vi.stubGlobal("fetch", async () => answer(2, "bob"));
  const session = new Session(), told: [Who | undefined, unknown][] = [];
  session.onchange = (who, why) => told.push([who, why]);
  await expect(session.of({ id: 1, username: "ann" }).token()).rejects.toThrow();
  expect(told).toEqual([[undefined, "other"]]);
  expect(localStorage.getItem("parlour.who")).toBeNull();
});

it("goes on as who one was", async () => {
  vi.stubGlobal("fetch", async () => answer(1, "ann"));
  const session = new Session();
  session.onchange = () => expect.unreachable();
  expect(await session.of({ id: 1, username: "ann" }).token()).toBe("t");
  session.onchange = () => {};
});

it("asks nothing as somebody else, also when the login of before is over", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (address: string, { method }: RequestInit) => {
    asked.push(`${method} ${address}`);
    return answer(2, "bob");
  });
  const session = new Session(), told: [Who | undefined, unknown][] = [], ann = session.of({ id: 1, username: "ann" });
  session.onchange = (who, why) => told.push([who, why]);
  await expect(ann.token()).rejects.toThrow();
  asked.length = 0;
  await expect(ann.ask("PUT", "/api/rooms/general/draft", { content: "ann's" })).rejects.toThrow();
  await session.logIn("bob", "p");
  await expect(ann.ask("PUT", "/api/rooms/general/draft", { content: "ann's" })).rejects.toThrow();
  expect(asked).toEqual(["POST /api/auth/browser/login"]);
  expect(told).toEqual([[undefined, "other"], [{ id: 2, username: "bob" }, undefined]]);
  expect(ann.isEnding()).toBe(true);
});

it("has no login come back by an answer that was under way when it ended", async () => {
  let refreshed: (answer: Response) => void = () => {};
  vi.stubGlobal("fetch", (address: string) => address.includes("refresh") ? new Promise((done) => { refreshed = done; }) : Promise.resolve(new Response(null, { status: 204 })));
  const session = new Session(), ann = session.of({ id: 1, username: "ann" });
  const asking = expect(ann.ask("GET", "/api/rooms")).rejects.toThrow();
  await ann.logOut();
  refreshed(answer(1, "ann"));
  await asking;
  expect([session.who, localStorage.getItem("parlour.who")]).toEqual([undefined, null]);
});
