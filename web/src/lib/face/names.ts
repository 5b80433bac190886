// Display names are chosen freely, and may look like anybody's name: the username stands beside them.
import type { Client } from "./client.svelte";

/** Whether a display name looks other than the name that nobody else has. */
export const isOther = (name: string, username: string): boolean => username !== "" && name.toLowerCase() !== username.toLowerCase();

/** What people call someone, with the username where that is another one. */
export function fullName(client: Client, user: number, username: string): string {
  const name = client.name(user, username);
  return isOther(name, username) ? `${name} (@${username})` : name;
}
