import { describe, expect, it } from "vitest";
import { de as first } from "./de";
import { dialogs as rest } from "./de/dialogs";
import { en as firstEnglish } from "./en";
import { dialogs as restEnglish } from "./en/dialogs";

const [en, de] = [{ ...firstEnglish, ...restEnglish }, { ...first, ...rest }];

/** Each entry by where it stands: sentences, and how many values a sentence takes. */
function shape(words: object, at = ""): string[] {
  return Object.entries(words).flatMap(([name, value]) => {
    if (typeof value === "function") return [`${at}${name}(${value.length})`];
    return typeof value === "object" && !Array.isArray(value) ? shape(value, `${at}${name}.`) : [`${at}${name}`];
  });
}

describe.each([["English", en], ["German", de]])("in %s", (_, t) => {
  it("a direct message says who sees it", () => {
    const [two, many] = [t.room.beginsDirectText(1), t.room.beginsDirectText(2)];
    expect(two).toMatch(/two of you|ihr beide/);
    expect(many).toMatch(/group|Gruppe/);
  });

  it("whoever leaves a room is told how to come back", () => {
    expect(t.settings.leaveText(false)).toMatch(/join it again|beitreten/);
    expect(t.settings.leaveText(true)).toMatch(/adds you|hinzufügt/);
  });

  it("one text of one's own is lost as one, and several as several", () => {
    expect(t.signOut.drafts(1)).toMatch(/is on this device alone|geht verloren/);
    expect(t.signOut.drafts(2)).toMatch(/are on this device alone|gehen verloren/);
  });
});

it("every language says the same things", () => {
  // What the server refuses it says in English itself.
  expect(shape({ ...de, refused: {}, slash: {}, system: undefined })).toEqual(shape(en));
});

it("what is seen at first says nothing that is loaded after it", () => {
  const late = new RegExp(`\\bt\\.(${Object.keys(restEnglish).join("|")})\\b`);
  const all = import.meta.glob<string>(["../../components/*.svelte", "../../routes/*.svelte", "../../App.svelte", "../**/*.ts", "!../**/*.test.ts"], { query: "?raw", import: "default", eager: true });
  // Each of these is shown by Layers alone, or with them, or loads them itself.
  const isLate = /(Dialog|Browse|Card|EmojiPicker|Gone|History|Keys|LaterTime|ListView|NewDirect|PeopleField|PinsPane|Switcher|WhenFields)\.svelte$|(choices|commands|zone)\.ts$/;
  const wrong = Object.entries(all).filter(([name, text]) => !isLate.test(name) && late.test(text)).map(([name]) => name);
  expect(Object.keys(all).length).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
});
