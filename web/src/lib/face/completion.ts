// A word that is begun, and what can be put in its place.

export interface Choice {
  kind: "person" | "all" | "room" | "emoji" | "command";
  /** What is put there. */
  text: string;
  shown: string;
  note: string;
  user?: number;
  icon?: string;
  /** Nothing has to stand behind it. */
  isWhole?: boolean;
}

export interface Begun {
  sign: "@" | "#" | ":" | "/";
  word: string;
  /** Where the sign stands. */
  from: number;
}

/** The word before the caret, if it may be completed. */
export function begun(text: string, caret: number): Begun | undefined {
  const command = /^\/([\p{L}\p{N}_-]{0,40})$/u.exec(text.slice(0, caret));
  if (command) return { sign: "/", word: (command[1] ?? "").toLowerCase(), from: 0 };
  const found = /(^|[\s(])([@#:])([\p{L}\p{N}_+-]{0,40})$/u.exec(text.slice(0, caret));
  if (!found) return undefined;
  const [, , sign, word] = found as unknown as [string, string, Begun["sign"], string];
  if (sign === ":" && word.length < 2) return undefined;
  return { sign, word: word.toLowerCase(), from: caret - word.length - 1 };
}
