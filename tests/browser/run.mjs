// Drives Debian's Chromium against a running Parlour and looks at what a person would see.
//
//   node run.mjs http://127.0.0.1:8000 http://127.0.0.1:8001
//
// The first server has no rate limits; the second takes few messages at a time. SHOTS names a folder for screenshots.
// STEPS=rooms takes only the steps of rooms.mjs, which need none before them.
// At times the first needs something done to it: this prints `server: kill`, `start`, `pause` or `resume` and waits for a line
// on its standard input that says it is done. Nothing here sleeps; everything waits for what must happen.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import edges from "./edges.mjs";
import manyRooms from "./rooms.mjs";
import {
  PASSWORD, PATIENCE, complaints, composer, connected, empty, enter, ids, launch, press, say, shows, state, tabTo, texts, type,
  withoutStorage,
} from "./hands.mjs";

const [base, hurried] = process.argv.slice(2), { SHOTS: shots, STEPS } = process.env;
assert(hurried, "say where the servers are: node run.mjs http://127.0.0.1:8000 http://127.0.0.1:8001");
const mark = Math.random().toString(36).slice(2, 8); // the server's database may hold names of earlier runs
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const faults = []; // what must never happen in any page: requests to other hosts, refused scripts, errors, dialogs
const answers = new Map(); // what the pages that may ask something are told: "accept" or "dismiss"
const addresses = []; // of all requests and sockets

async function server(deed) {
  console.log(`server: ${deed}`);
  assert(!(await lines.next()).done, "nobody answered on standard input");
}

function watch(page) {
  const asked = (url) => {
    addresses.push(url);
    if (/^(data|blob):/.test(url)) return;
    if (![base, hurried].some((server) => new URL(server).host === new URL(url).host)) faults.push(`a request left the host: ${url}`);
  };
  page.on("request", (request) => asked(request.url()));
  page.on("websocket", (socket) => asked(socket.url()));
  page.on("pageerror", (error) => faults.push(`an error in the page: ${error.stack}`));
  page.on("dialog", (dialog) => {
    if (answers.has(page)) return dialog[answers.get(page)]();
    faults.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
}

async function open(browser, options = {}, url = base) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  context.on("page", watch);
  const page = await context.newPage();
  await page.goto(url);
  return { context, page };
}

const login = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("parlour.login")));
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

const browser = await launch();
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

const online = (page) => page.getByRole("list", { name: "Who is online" });

const inRooms = manyRooms({ base, browser, mark, open, picture, server, answers });
const tests = STEPS === "rooms" ? inRooms : {
  async "what is refused is said in the server's words, and can be mended at once"() {
    await enter(alice.page, ALICE, PASSWORD);
    await alice.page.getByRole("alert").getByText("Incorrect username or password").waitFor();
    await tabTo(alice.page, alice.page.getByLabel("Password"), "Shift+Tab"); // the focus is still in the form
    await enter(alice.page, "admin", PASSWORD, { isNew: true });
    await alice.page.getByRole("alert").getByText(/name/).waitFor();
    await alice.page.locator("#username:focus").waitFor(); // what is wrong with is at hand
    await enter(alice.page, ALICE, PASSWORD);
    await alice.page.getByRole("alert").getByText("Incorrect username or password").waitFor();
    assert.equal(await alice.page.getByLabel("Username").inputValue(), ALICE);
  },

  async "what was refused of a login does not stand under the form to register, which says the rule for names"() {
    const { page } = alice, rule = page.getByText("3 to 50 letters A to Z, digits, _ and -");
    await page.getByRole("alert").getByText("Incorrect username or password").waitFor();
    assert(await rule.isHidden());
    await page.getByText("I am new here").click();
    await page.getByRole("alert").waitFor({ state: "hidden" });
    await rule.waitFor();
    await page.getByText("I have an account").click();
    await rule.waitFor({ state: "hidden" });
  },

  async "Enter does what the form says: it registers who is new, and logs in who is not"() {
    const button = alice.page.getByRole("button");
    assert.deepEqual(await button.allTextContents(), ["Log in"]);
    await alice.page.getByText("I am new here").click();
    assert.deepEqual(await button.allTextContents(), ["Register"]);
    await enter(alice.page, ` ${ALICE} `, PASSWORD, { isNew: true }); // a space too many, as phones add one
    await connected(alice.page);
    await tabTo(alice.page, alice.page.getByRole("button", { name: "Log out" }), "Shift+Tab");
    await press(alice.page, "Enter");
    await enter(alice.page, `${ALICE} `, PASSWORD);
    await connected(alice.page);
  },

  async "two people see each other and chat, with keys alone"() {
    await enter(bob.page, BOB, PASSWORD, { isNew: true });
    await connected(bob.page);
    for (const { page } of [alice, bob]) {
      await tabTo(page, page.locator("#people summary"), "Shift+Tab");
      await press(page, "Enter");
      await online(page).getByText(ALICE).waitFor();
      await online(page).getByText(BOB).waitFor();
      await press(page, "Space");
      await online(page).waitFor({ state: "hidden" });
      await tabTo(page, composer(page));
    }
    const empty = bob.page.getByText("No one has written here yet");
    assert.equal(await empty.isVisible(), (await ids(bob.page)).length === 0);
    await type(alice.page, "hello bob");
    await press(alice.page, "Enter");
    await shows(bob.page, "hello bob");
    await empty.waitFor({ state: "hidden" });
    await type(bob.page, "hello alice\nin two lines");
    await press(bob.page, "Tab", "Enter"); // the button
    await shows(alice.page, "hello alice in two lines");
    await shows(bob.page, "hello alice in two lines");
  },

  async "a message is written as in any field: arrows, Home, Delete, undo"() {
    await composer(alice.page).click();
    await type(alice.page, "orld");
    await press(alice.page, "Home");
    await type(alice.page, "hello, vw");
    await press(alice.page, "ArrowLeft", "Backspace", "End", "Shift+Enter");
    await type(alice.page, "line two");
    await press(alice.page, "ArrowUp", "End");
    await type(alice.page, "!");
    assert.equal(await composer(alice.page).inputValue(), "hello, world!\nline two");
    await press(alice.page, "Control+Z");
    assert.notEqual(await composer(alice.page).inputValue(), "hello, world!\nline two");
    await empty(alice.page);
  },

  async "the Enter that ends a composition sends nothing"() {
    const { page } = alice, keys = await page.context().newCDPSession(page);
    const before = await texts(page);
    await composer(page).click();
    const pressEnter = async (code) => {
      const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: code };
      await keys.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...key });
      await keys.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
    };
    await keys.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
    await pressEnter(13); // within it, as Chromium and Firefox have it
    await keys.send("Input.insertText", { text: "日本" });
    await pressEnter(229); // after it, as Safari has it
    await type(page, " ok");
    assert.equal(await composer(page).inputValue(), "日本 ok");
    assert.deepEqual(await texts(page), before);
    await press(page, "Enter");
    await shows(page, "日本 ok");
  },

  async "the list of people closes on Escape, and on a click beside it"() {
    const { page } = alice;
    await page.locator("#people summary").click();
    await online(page).waitFor();
    await press(page, "Escape");
    await online(page).waitFor({ state: "hidden" });
    await page.locator("#people summary").click();
    await online(page).getByText(BOB).click();
    assert(await online(page).isVisible(), "a click within it leaves it open");
    await page.locator("#scroll").click({ position: { x: 20, y: 20 } });
    await online(page).waitFor({ state: "hidden" });
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
    await alice.context.clock.setSystemTime(Date.now() + 3_600_000);
    const start = addresses.length;
    let go; // the renewal is held up until both tabs have had the time to ask for one
    const both = new Promise((resolve) => { go = resolve; });
    await alice.context.route("**/api/auth/refresh", (route) => both.then(() => route.continue()));
    await Promise.all([alice.page.reload(), other.reload()]);
    for (const page of [alice.page, other]) await state(page, "Connecting");
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
    await state(alice.page, "Trying again");
    await say(alice.page, "written while the server was gone");
    await say(alice.page, "and one more");
    assert(await alice.page.locator("#people summary").isHidden(), "who is online is told while nobody knows");
    const unsent = alice.page.locator("#log li", { hasText: "not sent yet" });
    assert.equal(await unsent.count(), 2);
    await server("start");
    await connected(alice.page);
    await shows(alice.page, "written while the server was gone");
    await shows(alice.page, "and one more");
    await alice.page.locator("#people summary").waitFor();
    assert.equal(await unsent.count(), 0);
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

  async "who writes too fast is told so, until it is over"() {
    const { page, context } = await open(browser, {}, hurried);
    await enter(page, `carol_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    const notice = page.locator("#notice");
    const told = notice.getByText("too fast").waitFor();
    const written = Array.from({ length: 6 }, (_, n) => `fast ${n}`);
    for (const text of written) await say(page, text);
    await told;
    await shows(page, written.at(-1));
    await notice.waitFor({ state: "hidden" });
    assert.deepEqual(await texts(page), written);
    await context.close();
  },

  async "a browser that is offline says so, and sends what was written when it is back"() {
    await bob.context.setOffline(true);
    await state(bob.page, "offline");
    await say(bob.page, "written offline");
    await say(alice.page, "said meanwhile");
    await bob.context.setOffline(false);
    await connected(bob.page);
    for (const { page } of [alice, bob]) {
      await shows(page, "written offline");
      await shows(page, "said meanwhile");
      assertNoHole(await ids(page));
    }
  },

  ...inRooms,

  ...edges({ base, hurried, browser, mark, alice, bob, open, picture, server, answers }),

  async "axe finds nothing wrong, on paper and in the dark, on a phone and a wide screen"() {
    const stranger = await open(browser);
    for (const page of [alice.page, bob.page, stranger.page])
      for (const colorScheme of ["light", "dark"])
        for (const width of [390, 1440]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 844 });
          assert.deepEqual(await complaints(page), [], `${colorScheme}, ${width} wide`);
          const who = page === stranger.page ? "door" : page === alice.page ? "alice" : "bob";
          await picture(page, `${who}-${colorScheme}-${width}`);
        }
    await alice.page.locator("#people summary").click();
    assert.deepEqual(await complaints(alice.page), [], "with the list of people open");
    await picture(alice.page, "people");
    await press(alice.page, "Escape");
    await stranger.context.close();
  },

  async "where the browser keeps no data, the page says what to do"() {
    await withoutStorage(async (context) => {
      context.on("page", watch);
      const page = await context.newPage();
      await page.goto(base);
      await page.getByRole("alert").getByText("Allow cookies and site data").waitFor();
      assert.deepEqual(await complaints(page), []);
      await picture(page, "blocked");
    });
  },

  async "the documents show themselves"() {
    const { page } = alice;
    await page.goto(`${base}/docs`);
    await page.locator(".swagger-ui .info .title").getByText("Parlour").waitFor();
    await page.locator(".swagger-ui .opblock").first().waitFor();
    await picture(page, "docs");
    await page.goto(`${base}/redoc`);
    await page.getByRole("heading", { name: /Parlour/ }).first().waitFor();
    await page.getByPlaceholder("Search").click();
    await type(page, "log");
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
