// What can be done without a pointer: all of it. No step here touches one.
import assert from "node:assert/strict";
import { PASSWORD, press, tabTo, type } from "./hands.mjs";
import { composer, connected, dialog, enter, login, message, shows, texts } from "./web-hands.mjs";

export default ({ base, mark, ALICE, open }) => ({
  async "a room that is not there is made where it was looked for, and a time is read by the clocks of the device when that is wanted"() {
    const { page, context } = await open({ timezoneId: "Europe/Berlin" });
    const name = `beans-${mark}`, me = `zone_${mark}`, focused = page.locator(":focus");
    await enter(page, me, PASSWORD, { isNew: true });
    await connected(page);
    // The list of all rooms is slow to answer: nothing is offered until it has.
    let answer = () => {};
    const isFree = new Promise((next) => { answer = next; });
    await page.route(/rooms\/directory/, async (route) => {
      await isFree;
      await route.continue();
    });
    await press(page, "Control+k");
    const isAsked = page.waitForRequest((one) => one.url().includes(`directory?q=${name}`));
    await type(page, name);
    await isAsked;
    const make = page.getByRole("option", { name: `Make the room #${name}` });
    assert.equal(await make.count(), 0);
    answer();
    await make.waitFor();
    await press(page, "Enter");
    await page.getByLabel("Name", { exact: true }).and(focused).waitFor();
    await press(page, "Enter");
    await composer(page, `#${name}`).and(focused).waitFor();
    await page.locator(".sys", { hasText: `${me} made the room` }).waitFor();
    await type(page, "/remind me tomorrow at 9 to water them");
    await press(page, "Enter");
    await page.locator(".answer", { hasText: "09:00 (UTC)" }).waitFor();
    const offer = page.getByRole("button", { name: "Use the time of Berlin" });
    await tabTo(page, offer, "Shift+Tab");
    await press(page, "Enter");
    await page.locator(".answer", { hasText: "by the clocks of Berlin from now on" }).waitFor();
    await composer(page, `#${name}`).and(focused).waitFor();
    await type(page, "/remind me tomorrow at 9 to pick them");
    await press(page, "Enter");
    await page.locator(".answer", { hasText: /09:00 \(CES?T\)/ }).waitFor();
    assert.equal(await offer.count(), 0);
    // The room is there now: it is not offered again.
    await press(page, "Control+k");
    const answered = ["directory", "users"].map((list) => page.waitForResponse((one) => one.url().includes(`${list}?q=${name}`)));
    await type(page, name);
    for (const answer of await Promise.all(answered)) await answer.finished();
    // What was answered is shown within a frame or two.
    await page.evaluate(() => new Promise((done) => { let frames = 5; const next = () => (frames-- > 0 ? requestAnimationFrame(next) : done()); next(); }));
    await page.getByRole("option", { name }).first().waitFor();
    assert.equal(await make.count(), 0);
    await press(page, "Escape");
    await composer(page, `#${name}`).and(focused).waitFor();
    await context.close();
  },

  async "a German browser is spoken to in German, from the door on, and after a reload"() {
    const { page, context } = await open({ locale: "de-DE" });
    await page.getByRole("button", { name: "Registrieren" }).click();
    await page.getByLabel("Name", { exact: true }).click();
    await type(page, `deutsch_${mark}`);
    await press(page, "Tab");
    await type(page, PASSWORD);
    await press(page, "Enter");
    const field = page.getByLabel("Nachricht an #general", { exact: true });
    await field.click();
    await type(page, "Guten Tag");
    await press(page, "Enter");
    await shows(page, "Guten Tag");
    await page.reload();
    await shows(page, "Guten Tag");
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
    await press(page, "Control+k");
    await page.getByRole("dialog", { name: "Zu einem Raum" }).waitFor();
    await context.close();
  },

  async "a day by keys alone: a room is made, talked in, and what was said is answered, reacted to, pinned, saved, edited and deleted"() {
    const { page, context } = await open();
    const name = `keys-${mark}`, label = `#${name}`, me = `keys_${mark}`;
    const hasFocus = (what) => what.and(page.locator(":focus")).waitFor();
    const chosen = (text) => hasFocus(message(page, text));
    await enter(page, me, PASSWORD, { isNew: true });
    await connected(page);
    await press(page, "Control+k");
    await type(page, "make a room");
    await page.getByRole("option", { name: "Make a room" }).waitFor();
    await press(page, "Enter");
    await hasFocus(page.getByLabel("Name", { exact: true }));
    await type(page, name);
    await press(page, "Enter");
    await hasFocus(composer(page, label));
    for (const text of ["the first line", "the second line"]) {
      await type(page, text);
      await press(page, "Enter");
      await shows(page, text);
    }
    // To the messages, the last of them: a reaction.
    await press(page, "Shift+F6", "ArrowUp");
    await chosen("the second line");
    await press(page, "r");
    await hasFocus(page.getByLabel("Find an emoji"));
    await type(page, "tada");
    await page.getByRole("option", { name: "tada" }).first().waitFor();
    await press(page, "Enter");
    await message(page, "the second line").getByRole("button", { name: "🎉 1" }).waitFor();
    await chosen("the second line"); // the focus is back
    await press(page, "ArrowUp");
    await chosen("the first line");
    await press(page, "p");
    await message(page, "the first line").locator(".pinned").waitFor({ state: "attached" });
    await press(page, "s");
    await page.getByRole("status").getByText("Saved").waitFor();
    await press(page, "q");
    await hasFocus(composer(page, label));
    await type(page, "an answer");
    await press(page, "Enter");
    await message(page, "an answer").locator(".quote", { hasText: "the first line" }).waitFor();
    await shows(page, "an answer"); // it is stored
    await press(page, "ArrowUp"); // the last one of one's own, to be edited
    await hasFocus(page.getByLabel("Text of the message"));
    await type(page, ", mended");
    await press(page, "Enter");
    await shows(page, "an answer, mended");
    await hasFocus(composer(page, label)); // it was begun there
    await press(page, "Shift+F6", "ArrowUp");
    await chosen("an answer, mended");
    await press(page, "t");
    await hasFocus(page.getByLabel("Message to the thread"));
    await type(page, "below it");
    await press(page, "Enter");
    await shows(page, "below it", ".pane");
    await press(page, "Escape");
    await page.locator(".pane").waitFor({ state: "detached" });
    await chosen("an answer, mended"); // from there it was opened
    await press(page, "t");
    await hasFocus(page.getByLabel("Message to the thread"));
    await page.goBack();
    await page.locator(".pane").waitFor({ state: "detached" });
    await chosen("an answer, mended");
    await press(page, "ArrowUp");
    await chosen("the second line");
    await press(page, "Delete");
    await dialog(page, "Delete this message?").waitFor();
    await press(page, "Tab", "Enter"); // the focus was on what loses nothing
    await page.getByText("Deleted at").waitFor();
    assert(!(await texts(page)).includes("the second line"));
    // To a person, and back by the list.
    await press(page, "Control+k");
    await type(page, ALICE);
    await page.getByRole("option", { name: ALICE }).first().waitFor();
    await press(page, "Enter");
    await page.locator(".main textarea.write:focus").waitFor();
    await page.locator("h1", { hasText: name }).waitFor({ state: "detached" });
    await type(page, "to you alone");
    await press(page, "Enter");
    await shows(page, "to you alone");
    await press(page, "Control+k");
    await type(page, name);
    await page.getByRole("option", { name }).first().waitFor();
    await press(page, "Enter");
    await hasFocus(composer(page, label));
    await press(page, "Control+Shift+Y");
    await hasFocus(page.getByLabel("What are you doing?"));
    await type(page, "counting keys");
    await press(page, "Enter");
    await page.locator(".me", { hasText: "counting keys" }).waitFor();
    await press(page, "Control+Shift+M");
    await dialog(page, `# ${name}`).getByText(`@${me}`).waitFor();
    await press(page, "Escape");
    await dialog(page, `# ${name}`).waitFor({ state: "detached" });
    await press(page, "Shift+F6", "?");
    await dialog(page, "Keys").waitFor();
    await press(page, "Escape");
    await tabTo(page, page.locator(".me"), "Shift+Tab");
    await press(page, "Enter", "ArrowUp"); // from the first to the last
    await hasFocus(page.getByRole("menuitem", { name: "Sign out" }));
    await press(page, "Enter");
    await hasFocus(page.getByLabel("Name", { exact: true }));
    await context.close();
  },

  async "a reminder that has come stays until it is closed, is read out once, and covers no more when others come"() {
    const { page, context } = await open();
    await enter(page, `due_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    await composer(page).and(page.locator(":focus")).waitFor();
    const toasts = page.locator(".toasts"), due = (text) => toasts.locator(".toast", { hasText: text });
    assert.equal(await toasts.getAttribute("aria-atomic"), "false"); // each is read when it comes, without those before it
    for (const what of ["one", "two", "three"]) {
      await type(page, `/remind me in 1 second call ${what}`);
      await press(page, "Enter");
      await due(`call ${what}`).waitFor();
    }
    await toasts.getByText("and 1 more").waitFor();
    assert.equal(await due("call one").count(), 0);
    // What is said in passing comes and goes; what stays outlasts it.
    await press(page, "Shift+F6", "ArrowUp", "s");
    await due("Saved").waitFor();
    await due("Saved").waitFor({ state: "detached" });
    for (const what of ["three", "two", "one"]) {
      const close = due(`call ${what}`).getByRole("button", { name: "Close" });
      await tabTo(page, close);
      await press(page, "Enter");
      await due(`call ${what}`).waitFor({ state: "detached" });
    }
    await context.close();
  },

  async "an edit that was left is named where one writes, gone on with, or thrown away"() {
    const { page, context } = await open();
    const me = `edits_${mark}`, hasFocus = (what) => what.and(page.locator(":focus")).waitFor();
    const editor = page.getByLabel("Text of the message"), left = page.locator(".left-edit");
    await enter(page, me, PASSWORD, { isNew: true });
    await connected(page);
    await (await login(base, me, PASSWORD))("POST", "/rooms", { name: `edits-${mark}` });
    const goTo = async (name, label) => {
      await press(page, "Control+k");
      await type(page, name);
      await page.getByRole("option", { name }).first().waitFor();
      await press(page, "Enter");
      await hasFocus(composer(page, label));
    };
    const leave = async (more) => {
      await press(page, "ArrowUp");
      await hasFocus(editor);
      await type(page, more);
      assert.equal(await left.count(), 0); // who is at it is not told of it
      await goTo(`edits-${mark}`, `#edits-${mark}`);
      await goTo("general", "#general");
      await left.getByText("You have not finished an edit.").waitFor();
    };
    await hasFocus(composer(page));
    await type(page, `helo ${mark}`);
    await press(page, "Enter");
    await shows(page, `helo ${mark}`);
    await leave(", all");
    await tabTo(page, left.getByRole("button", { name: "Go on" }), "Shift+Tab");
    await press(page, "Enter");
    await hasFocus(editor);
    assert.equal(await editor.inputValue(), `helo ${mark}, all`);
    await left.waitFor({ state: "detached" });
    await press(page, "Enter");
    await shows(page, `helo ${mark}, all`);
    await hasFocus(message(page, `helo ${mark}, all`)); // one has gone there
    await press(page, "Escape");
    await hasFocus(composer(page));
    await leave(" and more");
    await tabTo(page, left.getByRole("button", { name: "Drop my change" }), "Shift+Tab");
    await press(page, "Enter");
    await left.waitFor({ state: "detached" });
    await hasFocus(composer(page));
    await press(page, "ArrowUp");
    await hasFocus(editor);
    assert.equal(await editor.inputValue(), `helo ${mark}, all`);
    await context.close();
  },

  async "a screen reader reads a conversation as a text: who, when, what, and what became of it"() {
    const { page, context } = await open();
    const name = `heard-${mark}`, me = `heard_${mark}`;
    await enter(page, me, PASSWORD, { isNew: true });
    await connected(page);
    const api = await login(base, me, PASSWORD);
    const { room: key } = await api("POST", "/rooms", { name, kind: "public" });
    const first = await api("POST", `/rooms/${key}/messages`, { content: "**Hello** to all" });
    await api("PUT", `/rooms/${key}/messages/${first.id}/reactions/${encodeURIComponent("👍")}`);
    await api("POST", `/rooms/${key}/messages`, { content: "and a list:\n\n- one\n- two" });
    await api("POST", `/rooms/${key}/messages`, { content: "an answer", reply_to: first.id });
    const gone = await api("POST", `/rooms/${key}/messages`, { content: "regretted" });
    await api("DELETE", `/rooms/${key}/messages/${gone.id}`);
    await page.goto(`${base}/r/${name}`);
    await page.getByText("Deleted at").waitFor();
    const tree = await page.getByRole("log", { name: "Messages" }).ariaSnapshot();
    let from = 0;
    for (const words of [`#${name} begins here`, "Today", `${me} made`, me, "Hello", "to all", "👍", "and a list", "listitem: one", "listitem: two", me, "an answer", "Deleted at"]) {
      const at = tree.indexOf(words, from);
      assert(at >= 0, `“${words}” is not read behind what comes before it:\n${tree}`);
      from = at + words.length;
    }
    for (const noise of ["undefined", "[object", "<", "**"]) assert(!tree.includes(noise), `${noise} is read:\n${tree}`);
    await context.close();
  },
});
