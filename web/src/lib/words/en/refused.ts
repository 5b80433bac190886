// What the server's codes of errors say, in English: those whose sentence holds nothing that is not known here.
import { counted as n } from "$lib/text/time";

const wait = (seconds: number) => (seconds < 120 ? n(seconds, "second", "seconds") : n(Math.ceil(seconds / 60), "minute", "minutes"));

export const refused = {
  unreachable: "The server cannot be reached.",
  not_understood: "The answer is not from this server.",
  room_not_found: "There is no such room.",
  message_not_found: "There is no such message.",
  scheduled_not_found: "This message does not wait any more.",
  join_first: "Only members can do this; join the room first.",
  muted: "You are muted in this room: you can read it, and write again when that is over.",
  room_archived: "This room is archived: it can be read, and not be changed.",
  room_name_taken: "Another room has this name, or one that looks like it.",
  message_deleted: "This message is deleted.",
  not_a_thread: "This message can have no thread.",
  last_owner: "A room always has an owner: make someone else an owner first.",
  changed_since: "The message was changed in the meantime: look at it again.",
  too_many_edits: "This message cannot be edited any more: write a new one.",
  too_many_reactions: "This message cannot have more reactions.",
  too_many_scheduled: "You have as many messages waiting as there can be; take one back first.",
  too_large: "This is too large.",
  wrong_password: "This is not the current password.",
  slow_mode: (seconds: number) => `This room is in slow mode: you can write again in ${wait(seconds)}.`,
  rate_limited: (seconds: number) => `That was too often. Try again in ${wait(seconds)}.`,
  busy: "The server is busy at the moment; try again shortly.",
  shutting_down: "The server is shutting down; come back in a moment.",
  store_unavailable: "The server can store nothing at the moment; try again shortly.",
  outcome_unknown: "The server did not confirm this in time: look before you try again.",
  internal_error: "Something went wrong on the server.",
};
