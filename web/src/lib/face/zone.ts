// The time zone of one's profile, where a time was read in UTC for want of one. It is loaded where that is so.
import { learnRest, t } from "$lib/words";
import type { Client } from "./client.svelte";
import { saidOf } from "./refusals";

export interface Answer {
  text: string;
  isBad?: boolean;
  act?: { text: string; do: () => void };
}

/** What is offered beside such a time: the zone of this device; nothing where that is UTC, too. */
export async function offerZone(client: Client, tell: (answer: Answer) => void): Promise<Answer["act"]> {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || /^(Etc\/)?(UTC|GMT|UCT|Universal|Zulu)$/.test(zone)) return undefined;
  await learnRest();
  const place = zone.split("/").at(-1)?.replace(/_/g, " ") ?? zone;
  const use = async () => {
    try {
      await client.session.ask("PATCH", "/api/users/me", { time_zone: zone });
      tell({ text: t.zone.used(place) });
    } catch (error) {
      tell({ text: saidOf(error), isBad: true, act });
    }
  };
  const act = { text: t.zone.use(place), do: () => void use() };
  return act;
}
