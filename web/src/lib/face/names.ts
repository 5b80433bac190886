// Display names are chosen freely, and may look like anybody's name: the username stands beside them.
import type { Client } from "./client.svelte";

/** Whether a display name looks other than the name that nobody else has. */
export const isOther = (name: string, username: string): boolean => username !== "" && name.toLowerCase() !== username.toLowerCase();

/** What people call someone, with the username where that is another one. */
export function fullName(client: Client, user: number, username: string): string {
  const name = client.name(user, username);
  return isOther(name, username) ? `${name} (@${username})` : name;
}

/** Of usernames that were found for what was typed, the one that is meant: the one that was typed whole, else the first; -1 of none. */
export function bestOf(usernames: string[], typed: string): number {
  const whole = usernames.findIndex((one) => one.toLowerCase() === typed.toLowerCase());
  return usernames.length === 0 ? -1 : Math.max(0, whole);
}
