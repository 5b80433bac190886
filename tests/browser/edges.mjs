// What goes wrong at the edges: texts that are too large, several tabs in one browser, narrow windows.
import assert from "node:assert/strict";
import {
  PASSWORD, composer, connected, empty, enter, press, say, shows, state, tabTo, texts, type,
} from "./hands.mjs";

export default ({ base, hurried, browser, mark, alice, bob, open, picture, server, answers }) => ({
  async "a message over the limit is not sent, and not lost"() {
    const { page } = alice;
    await composer(page).click();
    await type(page, "x".repeat(100));
    for (let doubled = 0; doubled < 8; doubled++) await press(page, "Control+A", "Control+C", "End", "Control+V");
    const long = "x".repeat(25_600);
    await press(page, "Enter");
    await page.getByRole("alert").getByText("at most").waitFor();
    assert.equal(await composer(page).inputValue(), long);
    await empty(page);
  },

  async "a message that fits no frame once it is packed is said to be too large, and nothing waits"() {
    const { page, context } = await open(browser, {}, hurried);
    await enter(page, `quoter_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    let lines = 0; // a line that is closed is followed by another
    page.on("websocket", () => { lines += 1; });
    const quotes = '"'.repeat(900); // each takes two bytes in JSON
    await say(page, quotes);
    await page.getByRole("alert").getByText("quotes, line breaks and control characters; at most 1512 fit").waitFor();
    assert.equal(await composer(page).inputValue(), quotes);
    assert.equal(await page.locator("#log li:not([data-id])").count(), 0, "nothing waits");
    await empty(page);
    await say(page, "a short one goes through");
    await shows(page, "a short one goes through");
    assert.equal(lines, 0, "the line stayed open");
    await type(page, "y".repeat(1_002)); // what is said of a text is said while it is so
    await press(page, "Enter");
    for (const length of [1_002, 1_001]) {
      await page.getByRole("alert").getByText(`That is ${length} bytes long`).waitFor();
      await press(page, "Backspace");
    }
    await page.getByRole("alert").waitFor({ state: "hidden" });
    await empty(page);
    await page.reload(); // written before the limits are known, it is held against them when they are
    await page.locator("#composer").waitFor();
    await say(page, quotes);
    await page.getByRole("alert").getByText("at most 1512 fit").waitFor();
    await connected(page);
    assert.equal(await page.locator("#log li:not([data-id])").count(), 0, "nothing waits");
    assert.equal(await composer(page).inputValue(), quotes);
    await context.close();
  },

  async "what waits in one tab is never sent under the login of another"() {
    for (const hasConnected of [true, false]) {
      const [first, second] = [`first_${hasConnected}_${mark}`, `second_${hasConnected}_${mark}`];
      const { context, page } = await open(browser);
      await enter(page, first, PASSWORD, { isNew: true });
      await connected(page);
      const other = await context.newPage();
      await other.goto(base);
      await connected(other);
      await page.route("**/api/auth/ws-ticket", (route) => route.abort());
      if (!hasConnected) await page.reload();
      else {
        await server("kill");
        await state(page, "Trying again");
        await server("start");
      }
      await state(page, "Trying again");
      await say(page, "words of the first");
      await type(page, "and more");
      await connected(other);
      await other.getByRole("button", { name: "Log out" }).click();
      await page.getByLabel("Username").waitFor(); // nothing is asked, for nothing is lost
      await enter(other, second, PASSWORD, { isNew: true });
      await connected(other);
      await page.unroute("**/api/auth/ws-ticket");
      await connected(page);
      assert.equal(await composer(page).inputValue(), "", "what one has written is shown to another");
      await say(other, "words of the second");
      await shows(page, "words of the second");
      assert(!(await texts(page)).includes("words of the first"), "sent under another login");
      await other.getByRole("button", { name: "Log out" }).click();
      await enter(other, first.toUpperCase(), PASSWORD);
      await connected(page);
      assert.equal(await composer(page).inputValue(), "words of the first\nand more");
      await context.close();
    }
  },

  async "what is written is not lost by a reload, nor when the login is ended"() {
    const { context, page } = await open(browser);
    const name = `drafter_${mark}`;
    await enter(page, name, PASSWORD, { isNew: true });
    await connected(page);
    await composer(page).click();
    await type(page, "half a thought");
    answers.set(page, "dismiss");
    const asked = page.waitForEvent("dialog");
    await page.reload({ timeout: 2_000 }).catch(() => {}); // they stay
    assert.equal((await asked).type(), "beforeunload");
    assert.equal(await composer(page).inputValue(), "half a thought");
    answers.set(page, "accept");
    await page.reload();
    await connected(page);
    assert.equal(await composer(page).inputValue(), "half a thought");
    const access = await page.evaluate(() => JSON.parse(localStorage.getItem("parlour.login")).access_token);
    await fetch(`${base}/api/auth/logout`, { method: "POST", headers: { Authorization: `Bearer ${access}` } });
    await page.getByRole("alert").getByText("This login was ended").waitFor();
    await enter(page, name, PASSWORD);
    await connected(page);
    assert.equal(await composer(page).inputValue(), "half a thought");
    await context.close();
  },

  async "whoever is disabled is told so, and not to log in again"() {
    const { context, page } = await open(browser);
    await enter(page, `gone_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    await server(`disable gone_${mark}`);
    await page.getByRole("alert").getByText("This account was disabled").waitFor();
    await context.close();
  },

  async "logging out asks before it throws anything away, and then it does"() {
    const { context, page } = await open(browser);
    const name = `asked_${mark}`, out = page.getByRole("button", { name: "Log out" });
    await enter(page, name, PASSWORD, { isNew: true });
    await connected(page);
    await page.route("**/api/auth/ws-ticket", (route) => route.abort());
    await page.reload();
    await state(page, "Trying again");
    await say(page, "this one waits");
    for (const [answer, there] of [["dismiss", "Send"], ["accept", "Log in"]]) {
      answers.set(page, answer);
      const asked = page.waitForEvent("dialog");
      await out.click();
      assert.match((await asked).message(), /not sent yet will be lost/);
      await page.getByRole("button", { name: there }).waitFor();
      if (answer === "dismiss") assert((await texts(page)).includes("this one waits"));
    }
    answers.delete(page);
    await page.unroute("**/api/auth/ws-ticket");
    await enter(page, name, PASSWORD);
    await connected(page);
    assert.equal(await composer(page).inputValue(), "");
    assert(!(await texts(page)).includes("this one waits"));
    await context.close();
  },

  async "logging out from a server that does not answer, or is gone, ends at the door and says what is left"() {
    const { context, page } = await open(browser);
    const name = `parting_${mark}`;
    for (const [deed, undone] of [["pause", "resume"], ["kill", "start"]]) {
      await enter(page, name, PASSWORD, { isNew: deed === "pause" });
      await connected(page);
      await composer(page).click();
      await server(deed);
      await page.getByRole("button", { name: "Log out" }).click();
      if (deed === "pause") {
        await state(page, "Logging out");
        assert(await composer(page).isDisabled(), "words can be written that go nowhere");
      }
      await page.getByRole("alert").getByText("the server could not be told").waitFor();
      await page.getByLabel("Username").click({ trial: true });
      await server(undone);
    }
    await context.close();
  },

  async "the newest message stays in sight while a long text is written and the window changes, and news below are told"() {
    const { context, page } = await open(browser);
    await enter(page, `reader_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    const newest = page.locator("#log li:last-child .text");
    const inSight = async (what) => {
      for (let looks = 0; looks < 100; looks++) { // a frame or two after what changed it
        if (await newest.evaluate((last) => new Promise((done) => {
          new IntersectionObserver(([entry]) => done(entry.intersectionRatio > 0.9)).observe(last);
        }))) return;
      }
      assert.fail(`the newest message is out of sight ${what}`);
    };
    for (let n = 0; n < 30; n++) await say(page, `line ${n}`);
    await shows(page, "line 29");
    await composer(page).click();
    await type(page, "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight");
    await inSight("behind a long text");
    await page.setViewportSize({ width: 700, height: 390 });
    await inSight("in another window");
    await empty(page);
    await page.setViewportSize({ width: 820, height: 1180 });
    for (let n = 0; n < 20; n++) await say(page, `${n} ${"word ".repeat(25)}`); // of more rows in a narrower window
    await shows(page, `19 ${"word ".repeat(25)}`.trim());
    await inSight("in a tall window");
    for (const text of ["turned one", "turned two"]) {
      await composer(page).click();
      await page.setViewportSize({ width: 1180, height: 820 });
      await inSight("when a tablet is turned");
      await say(bob.page, text);
      await shows(page, text);
      await inSight("when one comes after that");
      await page.setViewportSize({ width: 820, height: 1180 });
      await inSight("when it is turned back");
    }
    await page.setViewportSize({ width: 700, height: 390 });
    await page.locator("#scroll").hover();
    await page.mouse.wheel(0, -1_000);
    const sign = page.getByRole("button", { name: "new messages below" });
    await newest.evaluate((last) => new Promise((done) => {
      new IntersectionObserver(([entry]) => !entry.isIntersecting && done()).observe(last);
    }));
    await say(bob.page, "unseen one");
    await say(bob.page, "unseen two");
    await sign.getByText("2 new messages below").click();
    await inSight("after going there");
    await sign.waitFor({ state: "hidden" });
    assert.equal(await newest.textContent(), "unseen two");
    await context.close();
  },

  async "who I am is on the screen"() {
    for (const [{ page }, name] of [[alice, "alice"], [bob, "bob"]])
      await page.locator("#me", { hasText: `${name}_${mark}` }).waitFor();
  },

  async "towers of accents stay within their own message"() {
    const { page } = alice;
    await say(page, "a neighbour above");
    await shows(page, "a neighbour above");
    const neighbour = page.locator("#log li", { hasText: "a neighbour above" }), before = await neighbour.screenshot();
    const tower = `Z${"\u0301".repeat(60)}algo`;
    await say(page, tower);
    await shows(page, tower);
    assert(before.equals(await neighbour.screenshot()), "they paint over the message above");
  },

  async "it fits a watch, a phone and a wide screen, with the longest names and words"() {
    const long = await open(browser);
    const fits = async (page, what) => {
      const over = await page.evaluate(() => [document.documentElement, document.getElementById("scroll")]
        .some((box) => box.scrollWidth > box.clientWidth));
      assert(!over, `${what} scrolls sideways`);
    };
    await long.page.setViewportSize({ width: 240, height: 320 });
    await fits(long.page, "the door");
    await enter(long.page, `long_${mark}_`.padEnd(50, "W"), PASSWORD, { isNew: true });
    await connected(long.page);
    await say(long.page, "W".repeat(300));
    for (const { page } of [bob, long])
      for (const [width, height] of [[240, 320], [320, 500], [390, 844], [1440, 900]]) {
        await page.setViewportSize({ width, height });
        await fits(page, `${width} wide`);
        await page.getByRole("button", { name: "Send" }).click({ trial: true });
        await page.getByRole("button", { name: "Log out" }).click({ trial: true });
        await page.locator("#people summary").click();
        const { x } = await page.getByRole("list", { name: "Who is online" }).boundingBox();
        assert(x >= 0, "the list of people begins outside the window");
        await press(page, "Escape");
        await picture(page, `${page === bob.page ? "bob" : "long"}-${width}`);
      }
    await long.context.setOffline(true);
    await state(long.page, "offline");
    await long.page.setViewportSize({ width: 240, height: 320 });
    await fits(long.page, "being offline");
    await picture(long.page, "offline-240");
    await long.context.close();
  },

  async "logging out ends it quietly here, and with a word in the other tab, whatever comes first"() {
    const { context, page } = await open(browser);
    await enter(page, `leaver_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    const other = await context.newPage();
    await other.goto(base);
    await connected(other);
    const line = page.waitForEvent("websocket");
    await page.reload();
    const closed = (await line).waitForEvent("close");
    await connected(page);
    // The answer comes after the server has closed the socket.
    await page.route("**/api/auth/logout", async (route) => {
      const response = await route.fetch();
      await closed;
      await route.fulfill({ response });
    });
    await page.getByRole("button", { name: "Log out" }).click();
    for (const tab of [page, other]) {
      await tab.getByRole("button", { name: "Log in" }).waitFor();
      const why = tab === page ? "" : "You were logged out in another tab."; // here it was asked for
      assert.equal(await tab.locator("#refusal").textContent(), why);
      assert.equal(await tab.evaluate(() => localStorage.getItem("parlour.login")), null);
    }
    await context.close();
  },
});
