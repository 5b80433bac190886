// What only who is signed in needs, when it cannot be loaded.
import { expect, it, vi } from "vitest";
import { find, open, text, until, write } from "./make-believe";

vi.mock("./routes/inside", () => { throw new Error("no network"); });

it("says so to whoever has signed in, and offers to try again", async () => {
  open();
  await until(() => find("#username"));
  expect(text()).not.toContain("The server cannot be reached");
  for (const [field, words] of [["#username", "alice"], ["#password", "correct horse"]] as const) write(find<HTMLInputElement>(field) as HTMLInputElement, words);
  find("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await until(() => find("[role=alert]")?.textContent?.includes("The server cannot be reached"));
  expect(find("button")?.textContent).toBe("Try again");
});
