// Measures the web client in a browser and prints what it takes beside what it should. Not a test: a machine is measured with it.
//
//   cargo run --release -- serve --port 8000 &
//   node web-bench.mjs http://127.0.0.1:8000
//
// MESSAGES says how many are to come for the memory (100,000).
import { PASSWORD, PATIENCE, launch, press, type } from "./hands.mjs";
import { composer, connected, enter, login, room, shows } from "./web-hands.mjs";

const [base] = process.argv.slice(2), MESSAGES = Number(process.env.MESSAGES ?? 100_000);
const mark = Math.random().toString(36).slice(2, 8), [ME, OTHER] = [`me_${mark}`, `other_${mark}`];
const rows = [];
const told = (what, value, most, unit) => {
  rows.push({ what, value: Math.round(value * 10) / 10, most, unit });
  console.log(`${value <= most ? "ok  " : "OVER"} ${what}: ${Math.round(value * 10) / 10} ${unit}, ${most} at most`);
};
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
const late = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.95)] ?? 0;

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" });
context.setDefaultTimeout(PATIENCE);
const page = await context.newPage();
await page.goto(base);
await enter(page, ME, PASSWORD, { isNew: true });
await connected(page);
await fetch(`${base}/api/auth/register`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ username: OTHER, password: PASSWORD }) });
const [mine, other] = [await login(base, ME, PASSWORD), await login(base, OTHER, PASSWORD)];
const { room: busy } = await other("POST", "/rooms", { name: `busy-${mark}`, kind: "private", users: [ME] });
const { room: calm } = await other("POST", "/rooms", { name: `calm-${mark}`, kind: "private", users: [ME] });
const post = (where, content) => other("POST", `/rooms/${where}/messages`, { content });
for (let n = 0; n < 300; n++) await post(busy, `message ${n} **with** a little \`markdown\` and some words`);
await post(calm, "calm");
await mine("PUT", `/rooms/${busy}/read`, { seq: 300 });

// First view and ready to type, with the processor slowed four times, as a new tab sees it.
const cdp = await context.newCDPSession(page);
await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
const views = [], ready = [];
for (let turn = 0; turn < 5; turn++) {
  await page.goto(`${base}/r/busy-${mark}`);
  await composer(page, `#busy-${mark}`).waitFor();
  ready.push(await page.evaluate(() => performance.now()));
  views.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0));
}
told("first view, CPU slowed 4 times", median(views), 1_000, "ms");
told("ready to type, CPU slowed 4 times", median(ready), 1_500, "ms");
await cdp.send("Emulation.setCPUThrottlingRate", { rate: 1 });
await connected(page);

// Older messages: nothing moves by itself.
await shows(page, "message 299 with a little markdown and some words");
await page.evaluate(() => {
  window.shift = 0;
  new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value; }).observe({ type: "layout-shift", buffered: false });
});
await page.locator(".timeline").hover();
for (let turn = 0; turn < 30; turn++) {
  await page.mouse.wheel(0, -800);
  await page.waitForTimeout(60);
}
told("layout shift while older messages load", await page.evaluate(() => window.shift), 0.01, "");
await page.getByRole("button", { name: "To the newest message" }).click();

// Between rooms that were seen before.
const switches = [];
for (let turn = 0; turn < 10; turn++) {
  const name = turn % 2 ? `busy-${mark}` : `calm-${mark}`;
  const link = await room(page, name).elementHandle();
  switches.push(await page.evaluate(([one, label]) => new Promise((done) => {
    const begun = performance.now();
    one.click();
    const look = () => (document.querySelector(`textarea[aria-label="Message to #${label}"]`) && document.querySelector(".timeline article")
      ? requestAnimationFrame(() => done(performance.now() - begun)) : requestAnimationFrame(look));
    look();
  }), [link, name]));
}
told("to a room seen before", median(switches.slice(2)), 100, "ms");

// Keys while a hundred messages a second come.
await room(page, `busy-${mark}`).click();
await composer(page, `#busy-${mark}`).click();
await page.evaluate(() => {
  window.keys = [];
  addEventListener("keydown", ({ timeStamp }) => requestAnimationFrame(() => setTimeout(() => window.keys.push(performance.now() - timeStamp), 0)), true);
});
let isFlooding = true, sent = 0;
const flood = (async () => {
  const begun = Date.now();
  while (isFlooding) {
    const due = Math.floor((Date.now() - begun) / 10);
    await Promise.all(Array.from({ length: Math.min(due - sent, 20) }, () => post(busy, `flood ${sent++}`)));
    await new Promise((next) => setTimeout(next, 10));
  }
})();
for (let turn = 0; turn < 60; turn++) {
  await type(page, "a");
  await page.waitForTimeout(80);
}
isFlooding = false;
await flood;
told(`a key to paint, ${sent} messages coming (the slowest of twenty)`, late(await page.evaluate(() => window.keys)), 50, "ms");
await press(page, "Control+A", "Delete");

// Memory, when many have come.
for (let n = 0; n < MESSAGES; n += 50) await Promise.all(Array.from({ length: Math.min(50, MESSAGES - n) }, (_, k) => post(busy, `many ${n + k}`)));
await shows(page, `many ${MESSAGES - 1}`);
await cdp.send("HeapProfiler.collectGarbage");
const { usedSize } = await cdp.send("Runtime.getHeapUsage");
told(`memory after ${MESSAGES} messages`, usedSize / 1e6, 150, "MB");
await browser.close();
process.exit(rows.every(({ value, most }) => value <= most) ? 0 : 1);
