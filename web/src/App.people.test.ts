// People who are chosen by their names, over a server of make-believe.
import { beforeEach, expect, it, vi } from "vitest";
import { router } from "$lib/face/router.svelte";
import { ui } from "$lib/face/ui.svelte";
import { answers, asked, bodies, enter, find, key, text, until, write } from "./make-believe";

const person = (id: number, username: string, display_name?: string) => ({ id, username, display_name, created_at: "2026-11-27T10:00:00.000000+00:00" });
const everyone = [person(2, "bob", "Bob B."), person(3, "bobby"), person(4, "carol")];
const field = () => find<HTMLInputElement>("[role=combobox]") as HTMLInputElement;
const chosen = () => [...document.querySelectorAll(".chosen li bdi")].map((one) => one.textContent);
const options = () => [...document.querySelectorAll<HTMLElement>(".offered [role=option]")];

beforeEach(() => router.go({ is: "start" }));

async function begin() {
  answers.unshift(
    [/users\?/, (_: string, __: object, address: string) => {
      const q = new URL(address, location.origin).searchParams.get("q") ?? "";
      return [200, everyone.filter((one) => one.username.includes(q)).toReversed()];
    }],
    [/api\/rooms$/, (_: string, body: { name: string }) => [201, { room: "9", name: body.name, kind: "public", seq: 0, created_at: "2026-11-27T10:00:00.000000+00:00" }]],
  );
  await enter();
  ui.open({ is: "browse", tab: "new" });
  await until(() => options().length === 3);
}

it("are added by a name and Enter, several in a row, however fast they are typed", async () => {
  await begin();
  field().focus();
  for (const [name, count] of [["bob", 1], ["@carol", 2]] as const) {
    write(field(), name);
    key(field(), "Enter");
    await until(() => chosen().length === count);
    expect([field().value, document.activeElement === field()]).toEqual(["", true]);
  }
  expect(chosen()).toEqual(["Bob B.", "carol"]);
  expect(text()).toContain("carol is added");
  // With nothing typed it adds nobody, also before others are offered.
  key(field(), "Enter");
  await until(() => options().length === 1);
  key(field(), "Enter");
  expect(chosen()).toHaveLength(2);
  write(find<HTMLInputElement>("#room-name") as HTMLInputElement, "tea");
  find("#new-room")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await until(() => asked.includes("POST /api/rooms"));
  expect(bodies.some((one) => one.includes('"users":["bob","carol"]'))).toBe(true);
});

it("are added by one press on a suggestion, or by arrows, and taken out by Backspace", async () => {
  await begin();
  options()[0]?.click();
  await until(() => chosen().includes("carol"));
  key(field(), "ArrowUp");
  await until(() => field().getAttribute("aria-activedescendant") === options().at(-1)?.id);
  key(field(), "Enter");
  await until(() => chosen().includes("Bob B."));
  key(field(), "Backspace");
  await vi.waitFor(() => expect(chosen()).toEqual(["carol"]));
});

it("are said not to be there only when that was asked", async () => {
  await begin();
  write(field(), "nobody");
  expect(text()).not.toContain("Nobody of that name");
  await until(() => text().includes("Nobody of that name"));
  key(field(), "Enter");
  expect(chosen()).toEqual([]);
});
