// Was die Fehlercodes des Servers sagen, auf Deutsch: die, deren Satz nichts enthält, was hier nicht bekannt ist.
import { counted as n } from "$lib/text/time";
import type { Refused } from "../en";

function wait(seconds: number): string {
  if (seconds < 120) return n(seconds, "Sekunde", "Sekunden");
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? n(minutes, "Minute", "Minuten") : n(Math.ceil(minutes / 60), "Stunde", "Stunden");
}

export const refused = {
  unreachable: "Der Server ist nicht zu erreichen.",
  not_understood: "Die Antwort kommt nicht von diesem Server.",
  room_not_found: "Diesen Raum gibt es nicht.",
  message_not_found: "Diese Nachricht, oder die, auf die sie antwortet, gibt es nicht.",
  scheduled_not_found: "Diese Nachricht wartet nicht mehr.",
  join_first: "Das können nur Mitglieder. Tritt dem Raum erst bei.",
  muted: "Du bist in diesem Raum stumm geschaltet: Du kannst lesen, und schreiben erst wieder, wenn das vorbei ist.",
  room_archived: "Dieser Raum ist archiviert: Er lässt sich lesen, aber nicht ändern.",
  room_name_taken: "Diesen Namen, oder einen, der so aussieht, hat ein anderer Raum.",
  message_deleted: "Diese Nachricht ist gelöscht.",
  not_a_thread: "Zu dieser Nachricht kann es keinen Thread geben.",
  last_owner: "Ein Raum gehört immer jemandem: Gib ihn erst an jemand anderen.",
  changed_since: "Die Nachricht wurde inzwischen geändert. Sieh sie dir noch einmal an.",
  too_many_edits: "Diese Nachricht lässt sich nicht mehr ändern. Schreib eine neue.",
  too_many_reactions: "Mehr Reaktionen kann diese Nachricht nicht haben, von dir oder überhaupt.",
  too_many_scheduled: "Mehr Nachrichten können nicht warten. Nimm erst eine zurück.",
  too_large: "Das ist zu groß.",
  wrong_password: "Das ist nicht das jetzige Passwort.",
  slow_mode: (seconds) => `Dieser Raum ist langsam: In ${wait(seconds)} kannst du wieder schreiben.`,
  rate_limited: (seconds) => `Das war zu oft. Versuch es in ${wait(seconds)} noch einmal.`,
  busy: "Der Server hat gerade zu viel zu tun. Versuch es gleich noch einmal.",
  shutting_down: "Der Server wird gerade angehalten. Komm gleich wieder.",
  store_unavailable: "Der Server kann gerade nichts speichern. Versuch es gleich noch einmal.",
  outcome_unknown: "Der Server hat das nicht rechtzeitig bestätigt. Sieh nach, bevor du es noch einmal versuchst.",
  internal_error: "Auf dem Server ist etwas schiefgegangen.",
} satisfies Refused;
