// Drives Debian's Chromium against a running Parlour and looks at what a person would see.
//
//   node run.mjs http://127.0.0.1:8000 [folder for screenshots]
//
// Twice it needs something done to the server: it then prints `server: kill` or `server: start` and waits for a line
// on its standard input that says it is done. Nothing here sleeps; everything waits for what must happen.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [base = process.env.PARLOUR_URL, shots = process.env.SHOTS] = process.argv.slice(2);
assert(base, "say where the server is: node run.mjs http://127.0.0.1:8000");
const PATIENCE = 30_000;
const PASSWORD = "correct horse battery";
const mark = Math.random().toString(36).slice(2, 8); // the server's database may hold names of earlier runs
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const faults = []; // what must never happen in any page: requests to other hosts, refused scripts, errors, dialogs
const addresses = []; // of all requests and sockets

async function server(deed) {
  console.log(`server: ${deed}`);
  assert(!(await lines.next()).done, "nobody answered on standard input");
}

function watch(page) {
  const asked = (url) => {
    addresses.push(url);
    if (/^(data|blob):/.test(url)) return;
    if (new URL(url).host !== new URL(base).host) faults.push(`a request left the host: ${url}`);
  };
  page.on("request", (request) => asked(request.url()));
  page.on("websocket", (socket) => asked(socket.url()));
  page.on("pageerror", (error) => faults.push(`an error in the page: ${error.stack}`));
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
}

async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  context.on("page", watch);
  const page = await context.newPage();
  await page.goto(base);
  return { context, page };
}

async function account(page, name, password, button) {
  await page.getByLabel("Username").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: button }).click();
}
const connected = (page) => page.getByRole("status").getByText("Connected", { exact: true }).waitFor();
const texts = (page) => page.locator("#log .text").allTextContents();
const ids = (page) => page.locator("#log li").evaluateAll((all) => all.map((one) => Number(one.dataset.id)));
const shows = (page, text) => page.locator("#log li[data-id] .text").getByText(text, { exact: true }).waitFor();
const login = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("parlour.login")));
const expire = (page) => page.evaluate(() => {
  const login = JSON.parse(localStorage.getItem("parlour.login"));
  localStorage.setItem("parlour.login", JSON.stringify({ ...login, until: 0 }));
});
async function say(page, text) {
  await page.getByLabel("Message to general").fill(text);
  await page.getByLabel("Message to general").press("Enter");
}
async function picture(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}
async function post(page, contents) { // past the page, so that many come at once
  const { access_token: access } = await login(page);
  for (const content of contents) {
    const answer = await fetch(`${base}/api/rooms/general/messages`, {
      method: "POST",
      headers: { Authorization: `Bearer ${access}`, "Content-Type": "application/json" },
      body: JSON.stringify({ content }),
    });
    assert.equal(answer.status, 201);
  }
}
function assertNoHole(numbers) {
  assert.deepEqual(numbers, numbers.map((_, index) => numbers[0] + index), "messages are missing, twice or out of order");
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync"],
});
const alice = await open(browser);
const bob = await open(browser, { colorScheme: "dark" });
const [ALICE, BOB] = [`alice_${mark}`, `bob_${mark}`];
const HOSTILE = [
  "<img src=x onerror=\"window.pwned = 'img'; alert(1)\">",
  "<script>window.pwned = 'script'</script>",
  "javascript:window.pwned='link'",
  "<svg/onload=alert(1)><form id=log><input name=children>",
  "\u202etxet desrever\u2066 \u200b zero width",
  "[click](javascript:alert(1)) <a href=\"https://example.org\">away</a> &lt;b&gt;",
];

const tests = {
  async "what is refused is said in the server's words"() {
    await account(alice.page, ALICE, PASSWORD, "Log in");
    await alice.page.getByRole("alert").getByText("Incorrect username or password").waitFor();
  },

  async "two people register, see each other and chat"() {
    await account(alice.page, ALICE, PASSWORD, "Register");
    await connected(alice.page);
    await account(bob.page, BOB, PASSWORD, "Register");
    await connected(bob.page);
    for (const { page } of [alice, bob]) {
      await page.getByText("online").click();
      await page.getByRole("list", { name: "Who is online" }).getByText(ALICE).waitFor();
      await page.getByRole("list", { name: "Who is online" }).getByText(BOB).waitFor();
      await page.getByText("online").click();
    }
    await say(alice.page, "hello bob");
    await shows(bob.page, "hello bob");
    await say(bob.page, "hello alice\nin two lines");
    await shows(alice.page, "hello alice in two lines");
    await shows(bob.page, "hello alice in two lines");
  },

  async "hostile text is text"() {
    for (const text of HOSTILE) await say(alice.page, text);
    for (const { page } of [alice, bob]) {
      await page.locator("#log li[data-id]").getByText("[click]").waitFor();
      const seen = await texts(page);
      for (const text of HOSTILE) assert(seen.includes(text), `not shown as it is: ${text}`);
      assert.equal(await page.locator("#log :is(img, script, svg, a, form, input, b)").count(), 0);
      assert.equal(await page.evaluate(() => window.pwned), undefined);
    }
    await picture(alice.page, "light");
    await picture(bob.page, "dark");
  },

  async "a reload keeps the login and shows history"() {
    const before = await texts(alice.page);
    await alice.page.reload();
    await connected(alice.page);
    assert.deepEqual(await texts(alice.page), before);
  },

  async "a spent access token is renewed, once for all tabs"() {
    const other = await alice.context.newPage();
    await other.goto(base);
    await connected(other);
    const old = await login(other);
    await expire(other);
    const start = addresses.length;
    let go; // the renewal is held up until both tabs have had the time to ask for one
    const both = new Promise((resolve) => { go = resolve; });
    await alice.context.route("**/api/auth/refresh", (route) => both.then(() => route.continue()));
    await Promise.all([alice.page.reload(), other.reload()]);
    for (const page of [alice.page, other]) await page.getByRole("status").getByText("Connecting").waitFor();
    go();
    await Promise.all([connected(alice.page), connected(other)]);
    await alice.context.unroute("**/api/auth/refresh");
    const renewals = addresses.slice(start).filter((address) => address.endsWith("/api/auth/refresh"));
    assert.equal(renewals.length, 1, "one renewal serves both tabs");
    assert.notEqual((await login(other)).refresh_token, old.refresh_token);
    await other.close();
  },

  async "after kill and restart the page comes back with nothing missing"() {
    await bob.context.route("**/api/auth/ws-ticket", (route) => route.abort()); // bob stays away for longer
    await server("kill");
    await alice.page.getByRole("status").getByText("Trying again").waitFor();
    await say(alice.page, "written while the server was gone");
    await say(alice.page, "and one more");
    await server("start");
    await connected(alice.page);
    await shows(alice.page, "written while the server was gone");
    await shows(alice.page, "and one more");
    await post(alice.page, Array.from({ length: 620 }, (_, n) => `while bob was away ${n}`));
    await bob.context.unroute("**/api/auth/ws-ticket");
    await connected(bob.page);
    await say(bob.page, "back again");
    for (const { page } of [alice, bob]) {
      await shows(page, "back again");
      assertNoHole(await ids(page));
      const seen = await texts(page);
      assert.equal(seen.filter((text) => text === "and one more").length, 1);
      assert.equal(seen.filter((text) => text.startsWith("while bob was away")).length, 620);
      assert(seen.indexOf("written while the server was gone") < seen.indexOf("and one more"), "order is kept");
    }
  },

  async "a message whose ack was lost is sent again, and stored once"() {
    let cuts = 1;
    await bob.page.routeWebSocket(/ws.chat/, (line) => {
      line.connectToServer().onMessage((data) => {
        const frame = JSON.parse(data);
        if (cuts > 0 && (frame.type === "ack" || frame.client_id)) line.close({ code: 4000 }).then(() => { cuts = 0; });
        else line.send(data);
      });
    });
    await bob.page.reload();
    await connected(bob.page);
    await say(bob.page, "is anybody there?");
    await say(bob.page, "the next after it");
    for (const { page } of [alice, bob]) {
      await shows(page, "the next after it");
      assertNoHole(await ids(page));
      assert.equal((await texts(page)).filter((text) => text === "is anybody there?").length, 1);
    }
    assert.equal(cuts, 0, "the line was cut");
    await bob.page.unrouteAll();
  },

  async "older messages come when asked for"() {
    await alice.page.reload();
    await connected(alice.page);
    assert.equal(await alice.page.locator("#log li").count(), 50);
    await alice.page.getByRole("button", { name: "Show older messages" }).click();
    await alice.page.locator("#log li:nth-child(100)").waitFor();
    assertNoHole(await ids(alice.page));
  },

  async "a message over the limit is not sent, and not lost"() {
    const long = "x".repeat(20_000);
    await say(alice.page, long);
    await alice.page.getByRole("alert").getByText("at most").waitFor();
    assert.equal(await alice.page.getByLabel("Message to general").inputValue(), long);
    await alice.page.getByLabel("Message to general").fill("");
  },

  async "it fits a phone"() {
    await bob.page.setViewportSize({ width: 360, height: 640 });
    assert(await bob.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
    await bob.page.getByRole("button", { name: "Send" }).click({ trial: true });
    await picture(bob.page, "phone");
  },

  async "logging out ends it, here and in the other tab"() {
    const other = await alice.context.newPage();
    await other.goto(base);
    await connected(other);
    await alice.page.getByRole("button", { name: "Log out" }).click();
    for (const page of [alice.page, other]) await page.getByRole("button", { name: "Register" }).waitFor();
    assert.equal(await login(other), null);
    await picture(alice.page, "door");
    await other.close();
  },

  async "the documents show themselves"() {
    const { page } = alice;
    await page.goto(`${base}/docs`);
    await page.locator(".swagger-ui .info .title").getByText("Parlour").waitFor();
    await page.locator(".swagger-ui .opblock").first().waitFor();
    await picture(page, "docs");
    await page.goto(`${base}/redoc`);
    await page.getByRole("heading", { name: /Parlour/ }).first().waitFor();
    await page.getByPlaceholder("Search").fill("log");
    await page.getByRole("search").getByRole("menu").getByRole("menuitem").first().waitFor();
    await picture(page, "redoc");
  },

  async "nothing left the host, nothing was refused, no token was in an address"() {
    assert.deepEqual(faults, []);
    assert(addresses.some((address) => address.includes("/ws/chat?ticket=")));
    assert(!addresses.some((address) => /token|eyJ/.test(address)), "a token in an address");
  },
};

let passed = 0;
try {
  for (const [name, test] of Object.entries(tests)) {
    await test();
    console.log(`ok - ${name}`);
    passed += 1;
  }
} catch (error) {
  console.log(`FAILED - ${Object.keys(tests)[passed]}\n${error.stack}\n${faults.join("\n")}`);
  await picture(alice.page, "failed-alice");
  await picture(bob.page, "failed-bob");
} finally {
  await browser.close();
}
console.log(`${passed} of ${Object.keys(tests).length} passed`);
process.exit(passed === Object.keys(tests).length ? 0 : 1);
