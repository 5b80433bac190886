// What can be put in place of a word that is begun: people, rooms, emoji, commands. It is loaded when the first view is drawn.
import type { Member } from "$lib/api/types";
import type { Room } from "$lib/store/room";
import { t } from "$lib/words";
import type { Client } from "./client.svelte";
import { isModerator } from "./actions";
import type { Begun, Choice } from "./completion";
import { labelOf } from "./rooms";
import { emojiNamed } from "./emoji";

const MOST = 8;

export async function choices(client: Client, room: Room, { sign, word }: Begun): Promise<Choice[]> {
  if (sign === ":") {
    return (await emojiNamed(word, MOST)).map(({ emoji, name }) => ({ kind: "emoji", text: emoji, shown: emoji, note: `:${name}:` }));
  }
  if (sign === "#") {
    const rooms = client.rooms.filter((one) => one.about.kind !== "direct" && (one.about.name ?? "").includes(word));
    return rooms.slice(0, MOST).map((one) => ({
      kind: "room", text: `#${one.about.name} `, shown: labelOf(client, one.about), note: one.about.topic ?? "", icon: one.about.kind === "private" ? "lock" : "hash",
    }));
  }
  return sign === "/" ? commands(client, room, word) : people(client, room, word);
}

async function commands(client: Client, room: Room, word: string): Promise<Choice[]> {
  const fitting = (await client.commands.list(room.about.kind)).filter((one) => one.name.startsWith(word));
  return fitting.map(({ name, usage, about }) => ({ kind: "command", text: `/${name} `, shown: usage, note: about, isWhole: !usage.includes("<") }));
}

async function people(client: Client, room: Room, word: string): Promise<Choice[]> {
  const members = await client.membersOf(room.key);
  const fits = (text: string | null | undefined) => (text ?? "").toLowerCase().split(/[\s_-]+/).concat((text ?? "").toLowerCase()).some((part) => part.startsWith(word));
  // What someone has told of themselves lately, and else what the list of members says.
  const shown = (one: Member) => {
    const about = client.store.people.about(one.user_id);
    return about ? about.display_name : one.display_name;
  };
  const rank = (user: number) => (client.store.people.presence(user) === "offline" ? 1 : 0);
  const found: Choice[] = members
    .filter((one) => one.user_id !== client.me.id && (fits(one.username) || fits(shown(one))))
    .sort((a, b) => rank(a.user_id) - rank(b.user_id) || a.username.localeCompare(b.username))
    .slice(0, MOST)
    .map((one) => ({ kind: "person", text: `@${one.username} `, shown: client.name(one.user_id, one.username), note: `@${one.username}`, user: one.user_id }));
  const mayCallAll = room.about.kind !== "direct" && (members.length <= 20 || isModerator(room));
  const everyone = t.composer.everyone(labelOf(client, room.about));
  // Other chats call them so; and what stands in the list is found by its beginning, too.
  const called = (...names: string[]) => mayCallAll && names.some((one) => one.toLowerCase().startsWith(word));
  if (called("room", "all", "channel", "everyone", everyone)) found.push({ kind: "all", text: "@room ", shown: everyone, note: "@room", icon: "people" });
  if (called("here", t.composer.here)) found.push({ kind: "all", text: "@here ", shown: t.composer.here, note: "@here", icon: "people" });
  return found;
}
