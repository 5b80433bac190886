// Giving a message another text.
import type { Message } from "$lib/api/types";
import type { Pending } from "$lib/store/outbox";

/** The text that an edit of a message begins with: what one has made of it already, or else what it says. */
export function textOf(message: Pick<Message, "id" | "content">, changes: readonly Pending[]): string {
  const made = changes.findLast(({ deed, delivery }) => deed.do === "edit" && deed.id === message.id && delivery !== "refused");
  return made?.content ?? message.content;
}
