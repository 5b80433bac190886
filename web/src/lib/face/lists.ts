// Rows of messages from many rooms, kept as they are now while they are listed.
import type { Message, Saved, Thread } from "$lib/api/types";

export interface Row {
  message: Message;
  at: string;
  unread: number;
}

export const rowOfThread = ({ message, last_at, unread }: Thread): Row => ({ message, at: last_at, unread });
export const rowOfSaved = ({ message, saved_at }: Saved): Row => ({ message, at: saved_at, unread: 0 });
export const keyOfRow = ({ message }: Row): string => `${message.room} ${message.id}`;

/** A row with its message as it has come since; of two forms the later one counts. */
function withMessage(row: Row, message: Message | undefined): Row {
  return message && message.seq > row.message.seq ? { ...row, message } : row;
}

/** The rows, where some of their messages may have changed. */
export function patched(rows: readonly Row[], messages: readonly Message[]): Row[] {
  const news = new Map(messages.map((message) => [`${message.room} ${message.id}`, message]));
  return rows.map((row) => withMessage(row, news.get(keyOfRow(row))));
}

/** The rows, when the first of the list have been read again; `isWhole`: there are no others. As long as somebody is at them
 *  (`isHeld`), none of those that are listed moves. */
export function renewed(rows: readonly Row[], fresh: readonly Row[], isWhole: boolean, isHeld: boolean): Row[] {
  const before = new Map(rows.map((row) => [keyOfRow(row), row])), news = new Map(fresh.map((row) => [keyOfRow(row), row]));
  const last = fresh.at(-1)?.at ?? "";
  // What stands below the end of what was read again is still there, as far as anyone knows.
  const rest = rows.filter((row) => !news.has(keyOfRow(row)) && !isWhole && row.at < last);
  const now = (row: Row) => withMessage(row, before.get(keyOfRow(row))?.message);
  if (!isHeld) return [...fresh.map(now), ...rest];
  const stay = rows.flatMap((row) => news.get(keyOfRow(row)) ?? (rest.includes(row) ? row : []));
  return [...fresh.filter((row) => !before.has(keyOfRow(row))), ...stay.map(now)];
}
