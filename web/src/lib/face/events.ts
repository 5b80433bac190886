// What happened to a room, in the language of the page.
import type { Message } from "$lib/api/types";
import { whole } from "$lib/text/time";
import { t } from "$lib/words";
import type { Client } from "./client.svelte";

/** What the page says of it, with usernames, since anybody may choose another's name to be shown by; what the server says, in
 *  English, and where the page does not know the event, or whom it is about. */
export function eventOf(client: Client, message: Message): string {
  return said(client, message) ?? message.content;
}

function said(client: Client, { event, user_id, username, room }: Message): string | undefined {
  const { system } = t;
  client.watch("people");
  const by = username, who = event && "user_id" in event ? client.store.people.username(event.user_id) : by;
  if (!system || !event || !by || !who) return undefined;
  switch (event.type) {
    case "created": return client.room(room)?.about.kind === "direct" ? system.began(by) : system.created(by);
    case "joined": return system.joined(who);
    case "left": return system.left(who);
    case "invited": return system.invited(by, who);
    case "kicked": return system.kicked(by, who);
    // Nobody gives a role to themselves: it was inherited.
    case "role": return event.user_id === user_id && event.role === "owner" ? system.heir(who) : system.role(by, who, event.role);
    case "muted": return event.until ? system.muted(by, who, whole(event.until)) : system.unmuted(by, who);
    case "renamed": return system.renamed(by, event.name);
    case "topic": return system.topic(by, event.topic);
    case "kind": return system.kind(by, event.kind === "private");
    case "archived": return system.archived(by);
    case "unarchived": return system.unarchived(by);
    case "slow_mode": return system.slow(by, event.seconds);
    default: return undefined;
  }
}
