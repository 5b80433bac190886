// What goes wrong at the edges: texts that are too large, several tabs in one browser, narrow windows.
import assert from "node:assert/strict";
import {
  PASSWORD, composer, connected, empty, enter, press, say, shows, state, tabTo, texts, type,
} from "./hands.mjs";

export default ({ base, hurried, browser, mark, alice, bob, open, picture, server, isExpected }) => ({
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
      isExpected.add(page); // asked whether to leave what waits there, they stay
      const asked = page.waitForEvent("dialog");
      await connected(other);
      await other.getByRole("button", { name: "Log out" }).click();
      await asked;
      await enter(other, second, PASSWORD, { isNew: true });
      await connected(other);
      await page.unroute("**/api/auth/ws-ticket");
      await connected(page);
      await page.getByRole("alert").getByText(`This browser is logged in as ${second} now.`).waitFor();
      assert.equal(await composer(page).inputValue(), "words of the first");
      await say(other, "words of the second");
      await shows(page, "words of the second");
      assert(!(await texts(page)).includes("words of the first"), "sent under another login");
      await context.close();
    }
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
        await page.locator("summary").click();
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

  async "logging out ends it quietly, here and in the other tab, whatever comes first"() {
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
      assert.equal(await tab.locator("#refusal").textContent(), "", "it was asked for");
      assert.equal(await tab.evaluate(() => localStorage.getItem("parlour.login")), null);
    }
    await context.close();
  },
});
