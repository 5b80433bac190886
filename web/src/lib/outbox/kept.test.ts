import "fake-indexeddb/auto";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Pending } from "$lib/store/outbox";
import { Kept } from "./kept";

const entry = (client_id: string, rest: Partial<Pending> = {}): Pending => ({
  client_id, order: 1, room: "general", deed: { do: "post" }, content: client_id, at: 0, delivery: "waiting", is_tried: false, ...rest,
});
const left = () => Object.keys(localStorage);
/** What a page keeps that goes before the database has answered it. */
function keptByWhoGoes(user: number): Kept {
  const late = vi.spyOn(indexedDB, "open").mockReturnValue(Object.assign(Object.create(IDBOpenDBRequest.prototype), { addEventListener() {} }));
  const kept = new Kept(user);
  late.mockRestore();
  return kept;
}

afterEach(async () => {
  vi.restoreAllMocks();
  for (const user of [1, 2]) await new Kept(user).wipe();
  localStorage.clear();
});

describe("what was sent at this moment", () => {
  it("is there for the next page, once and in order, when the page went before the database had it", async () => {
    await new Kept(1).add(entry("first"));
    const page = keptByWhoGoes(1);
    void page.add(entry("third", { order: 3 }));
    void page.add(entry("second", { order: 2 }));
    const moved: string[] = [];
    const next = new Kept(1, (one) => moved.push(one.client_id));
    expect((await next.all()).map((one) => one.client_id)).toEqual(["first", "second", "third"]);
    // The tab that sends may be another one, and has to hear of them.
    expect(moved.sort()).toEqual(["second", "third"]);
    expect(left()).toEqual([]);
    expect((await new Kept(1).all()).map((one) => one.client_id)).toEqual(["first", "second", "third"]);
  });

  it("is as it became by then, when the database had it after all", async () => {
    const page = new Kept(1);
    await page.add(entry("hello"));
    await page.put(entry("hello", { delivery: "refused", why: "No." }));
    localStorage.setItem("parlour.sending.1.hello", JSON.stringify(entry("hello")));
    expect(await new Kept(1).all()).toMatchObject([{ client_id: "hello", delivery: "refused" }]);
  });

  it("leaves nothing behind in the storage, also when it was taken back at once or what is there cannot be read", async () => {
    const page = new Kept(1);
    await page.add(entry("hello"));
    expect(left()).toEqual([]);
    const gone = keptByWhoGoes(1);
    void gone.add(entry("oops"));
    expect(left()).toEqual(["parlour.sending.1.oops"]);
    void gone.drop("oops");
    expect(left()).toEqual([]);
    localStorage.setItem("parlour.sending.1.half", '{"client_id":"ha');
    expect((await new Kept(1).all()).map((one) => one.client_id)).toEqual(["hello"]);
    expect(left()).toEqual([]);
  });

  it("is another account's no more than the rest, and is forgotten with it", async () => {
    void keptByWhoGoes(1).add(entry("hello"));
    expect(await new Kept(2).all()).toEqual([]);
    await new Kept(1).wipe();
    expect([left(), await new Kept(1).all()]).toEqual([[], []]);
  });

  it("is kept by the database alone where the storage is full", async () => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => { throw new DOMException("full", "QuotaExceededError"); });
    await new Kept(1).add(entry("hello"));
    expect((await new Kept(1).all()).map((one) => one.client_id)).toEqual(["hello"]);
  });
});
