// Display names are chosen freely, and may look like anybody's name: the username stands beside them.
import type { Seen } from "$lib/api/types";
import { when } from "$lib/text/time";
import { t } from "$lib/words";
import type { Client } from "./client.svelte";

/** Whether a display name looks other than the name that nobody else has. */
export const isOther = (name: string, username: string): boolean => username !== "" && name.toLowerCase() !== username.toLowerCase();

/** What people call someone, with the username where that is another one. */
export function fullName(client: Client, user: number, username: string): string {
  const name = client.name(user, username);
  return isOther(name, username) ? `${name} (@${username})` : name;
}

/** Until when a status holds, in words; nothing where that is not said. */
export const untilOf = (seen: Pick<Seen, "until"> | undefined, now: number): string => (seen?.until && Date.parse(seen.until) > now ? t.until(when(seen.until, now)) : "");

/** What somebody says of themselves, and until when, in a line. */
export function statusOf(seen: Seen | undefined, now: number): string {
  const said = [seen?.emoji, seen?.text].filter(Boolean).join(" ");
  return said && [said, untilOf(seen, now)].filter(Boolean).join(" · ");
}

/** Of usernames that were found for what was typed, the one that is meant: the one that was typed whole, else the first; -1 of none. */
export function bestOf(usernames: string[], typed: string): number {
  const whole = usernames.findIndex((one) => one.toLowerCase() === typed.toLowerCase());
  return usernames.length === 0 ? -1 : Math.max(0, whole);
}
