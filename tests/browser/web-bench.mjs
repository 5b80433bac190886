// Measures the web client in a browser and prints what it takes beside what it may. Not a test: a machine is measured with it.
//
//   node web-bench.mjs http://127.0.0.1:8000        a server with RATE_LIMITS=off; `scripts/web bench` starts one
//
// MESSAGES says how many are to come for the memory (100,000); STEPS which measures to take, by a pattern for their names; DIST
// serves the client from a folder, in place of the one in the server.
import { PASSWORD, launch, press, type } from "./hands.mjs";
import { composer, connected, enter, fromFolder, login, olderCome, room, shows } from "./web-hands.mjs";

const [base] = process.argv.slice(2), { STEPS, DIST } = process.env, MESSAGES = Number(process.env.MESSAGES ?? 100_000);
const mark = Math.random().toString(36).slice(2, 8), [ME, OTHER] = [`me_${mark}`, `other_${mark}`], [BUSY, CALM] = [`busy-${mark}`, `calm-${mark}`];
const rows = [];
const told = (what, value, most, unit) => {
  rows.push(value <= most);
  console.log(`${value <= most ? "ok  " : "OVER"} ${what}: ${Number(value.toFixed(unit === "ms" ? 0 : 3))}${unit && ` ${unit}`}, ${most} at most`);
};
const sorted = (all) => all.toSorted((a, b) => a - b), median = (all) => sorted(all)[Math.floor(all.length / 2)] ?? 0;
const late = (all) => sorted(all)[Math.floor(all.length * 0.95)] ?? 0;

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", ...(DIST && { serviceWorkers: "block" }) });
context.setDefaultTimeout(120_000);
await fromFolder(context, DIST);
const page = await context.newPage(), cdp = await context.newCDPSession(page);
const slow = (rate) => cdp.send("Emulation.setCPUThrottlingRate", { rate });
await page.goto(base);
await enter(page, ME, PASSWORD, { isNew: true });
await connected(page);
await fetch(`${base}/api/auth/register`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ username: OTHER, password: PASSWORD }) });
const [mine, other] = [await login(base, ME, PASSWORD), await login(base, OTHER, PASSWORD)];
const { room: busy } = await other("POST", "/rooms", { name: BUSY, kind: "private", users: [ME] });
const { room: calm } = await other("POST", "/rooms", { name: CALM, kind: "private", users: [ME] });
const post = (where, content) => other("POST", `/rooms/${where}/messages`, { content });
const many = async (where, count, text) => {
  for (let n = 0; n < count; n += 50) await Promise.all(Array.from({ length: Math.min(50, count - n) }, (_, k) => post(where, text(n + k))));
};
await many(busy, 300, (n) => `message ${n} **with** a little \`markdown\` and some words`);
await many(calm, 60, (n) => `calm ${n} **with** a little \`markdown\``);
for (const where of [busy, calm]) await mine("PUT", `/rooms/${where}/read`, { seq: (await mine("GET", `/rooms/${where}`)).seq });
// What came live would all be at hand.
await page.reload();
await connected(page);
const goTo = async (name) => {
  await room(page, name).click();
  await composer(page, `#${name}`).waitFor();
  await page.locator(".timeline article").first().waitFor();
};

const measures = {
  // What the page itself names. Dialogs come afterwards, when nothing else is to be done.
  async "script at first load"() {
    const loaded = new Map();
    page.on("response", (response) => loaded.set(response.url(), response.allHeaders().then((headers) => Number(headers["content-length"] ?? 0))));
    await cdp.send("Network.enable");
    const fresh = async (is) => {
      await cdp.send("Network.setCacheDisabled", { cacheDisabled: is });
      await cdp.send("Network.setBypassServiceWorker", { bypass: is });
    };
    await fresh(true);
    const html = await (await page.goto(`${base}/r/${BUSY}`, { waitUntil: "networkidle" })).text();
    const named = [...new Set(html.match(/\/assets\/[^"]+\.js/g))].map((path) => base + path);
    const bytes = (await Promise.all(named.map((url) => loaded.get(url) ?? 0))).reduce((sum, one) => sum + one, 0);
    await fresh(false);
    if (bytes === 0) throw new Error("no script was loaded");
    told("script at first load, compressed", bytes / 1_000, 120, "kB");
  },

  // As one who was here before opens it again.
  async "first view and ready to type"() {
    const views = [], ready = [];
    for (let turn = 0; turn < 7; turn++) {
      await slow(4);
      await page.goto(`${base}/r/${BUSY}`, { waitUntil: "commit" });
      ready.push(await page.evaluate((label) => new Promise((done) => {
        const look = () => {
          const field = document.querySelector(`textarea[aria-label="${label}"]`);
          if (field && !field.disabled) done(performance.now());
          else requestAnimationFrame(look);
        };
        look();
      }), `Message to #${BUSY}`));
      views.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0));
      await slow(1);
      await connected(page);
    }
    told("first view, with the processor slowed 4 times", median(views.slice(2)), 1_000, "ms");
    told("ready to type, with the processor slowed 4 times", median(ready.slice(2)), 1_500, "ms");
  },

  // Pages come late, when nobody scrolls, and the place where they come is on the screen. (What the browser itself calls layout
  // shift counts the box of a day, which grows above the screen; here it is what people see.)
  async "older messages"() {
    await goTo(BUSY);
    const { pages, moved } = await olderCome(page, `#${BUSY} begins here`);
    told(`layout shift while ${pages} pages of older messages load: the most that a line of text moves`, moved, 1, "px");
    await page.getByRole("button", { name: /To the newest message/ }).click();
  },

  async "to a room seen before"() {
    const all = [];
    for (let turn = 0; turn < 14; turn++) {
      const name = turn % 2 ? BUSY : CALM, link = await room(page, name).elementHandle();
      all.push(await page.evaluate(([one, label]) => new Promise((done) => {
        const begun = performance.now();
        one.click();
        const look = () => requestAnimationFrame(() => {
          const isThere = document.querySelector(`textarea[aria-label="${label}"]`) && document.querySelector(".timeline article");
          if (isThere) setTimeout(() => done(performance.now() - begun));
          else look();
        });
        look();
      }), [link, `Message to #${name}`]));
      await page.waitForTimeout(300);
    }
    told("to a room seen before", median(all.slice(4)), 100, "ms");
  },

  async "a key to paint"() {
    await goTo(BUSY);
    await composer(page, `#${BUSY}`).click();
    await page.evaluate(() => {
      window.keys = [];
      addEventListener("keydown", ({ timeStamp }) => requestAnimationFrame(() => setTimeout(() => window.keys.push(performance.now() - timeStamp))), true);
    });
    let isFlooding = true, sent = 0;
    const begun = Date.now();
    const flood = (async () => {
      while (isFlooding) {
        const due = Math.min(Math.floor((Date.now() - begun) / 10) - sent, 20);
        await Promise.all(Array.from({ length: due }, () => post(busy, `flood ${sent++}`)));
        await new Promise((next) => setTimeout(next, 10));
      }
    })();
    await page.waitForTimeout(1_000);
    for (let turn = 0; turn < 80; turn++) {
      await type(page, "a");
      await page.waitForTimeout(60);
    }
    const each = sent / ((Date.now() - begun) / 1_000);
    isFlooding = false;
    await flood;
    const all = await page.evaluate(() => window.keys);
    told(`a key to paint, median, while ${Math.round(each)} messages a second come`, median(all), 50, "ms");
    told("the slowest of twenty", late(all), 50, "ms");
    await press(page, "Control+A", "Delete");
    await shows(page, `flood ${sent - 1}`);
  },

  async "memory"() {
    await goTo(BUSY);
    await many(busy, MESSAGES, (n) => `many ${n}`);
    await post(busy, "the last of many");
    await shows(page, "the last of many");
    await cdp.send("HeapProfiler.collectGarbage");
    const { usedSize } = await cdp.send("Runtime.getHeapUsage");
    told(`memory after ${MESSAGES.toLocaleString("en")} messages`, usedSize / 1e6, 150, "MB");
  },
};

for (const [name, measure] of Object.entries(measures)) {
  if (!STEPS || new RegExp(STEPS).test(name)) await measure().catch((error) => { rows.push(false); console.log(`FAILED ${name}: ${error.message}`); });
}
await browser.close();
process.exit(rows.every(Boolean) ? 0 : 1);
