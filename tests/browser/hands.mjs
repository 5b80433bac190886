// A person's hands and eyes: everything that the steps do to a page goes through real keys and a real pointer, and what
// they know of it is what can be seen. A test that sets a value where a person types shows nothing.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const PATIENCE = 30_000;
export const PASSWORD = "correct horse battery";
const LAUNCH = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync",
    // A page that the steps serve themselves comes from no address, and would not be let to one of this machine.
    ...(process.env.DIST ? ["--disable-features=LocalNetworkAccessChecks"] : [])],
};
export const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const launch = () => chromium.launch(LAUNCH);

// A browser that keeps no data for any site, as one of its settings has it.
export async function withoutStorage(work) {
  const profile = mkdtempSync(join(tmpdir(), "parlour-browser-"));
  mkdirSync(join(profile, "Default"));
  const settings = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(settings));
  const context = await chromium.launchPersistentContext(profile, LAUNCH);
  try {
    await work(context);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

// Types with the keys of a keyboard. A line break within the text is Shift+Enter, as the page has it.
export async function type(page, text) {
  const [first, ...rest] = text.split("\n");
  await page.keyboard.type(first);
  for (const line of rest) {
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type(line);
  }
}

export async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
}

// Goes to a field as a person at a keyboard does; says so when it cannot be reached.
export async function tabTo(page, target, key = "Tab") {
  const reached = async () => target.evaluate((element) => element === document.activeElement);
  for (let steps = 0; steps < 20 && !(await reached()); steps++) await page.keyboard.press(key);
  assert(await reached(), `${key} never reaches ${target}`);
}

// Empties what has the focus.
export const empty = (page) => press(page, "Control+A", "Delete");
