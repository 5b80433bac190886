// Emoji and what they are called, loaded when they are first wanted.
export interface Emoji {
  emoji: string;
  name: string;
  words: string;
  group: number;
}

let loaded: Promise<Emoji[]> | undefined;

/** All of them, in the order of Unicode. */
export function allEmoji(): Promise<Emoji[]> {
  loaded ??= import("virtual:emoji").then(({ default: rows }) =>
    rows.map(([emoji, name, words, group]) => ({ emoji, name, words: `${name.replace(/_/g, " ")} ${words}`, group })),
  );
  return loaded;
}

export async function emojiNamed(word: string, most: number): Promise<Emoji[]> {
  const all = await allEmoji();
  const wanted = word.toLowerCase().replace(/_/g, " ");
  const begins = all.filter((one) => one.name.replace(/_/g, " ").startsWith(wanted));
  const holds = all.filter((one) => !begins.includes(one) && one.words.includes(wanted));
  return [...begins, ...holds].slice(0, most);
}
