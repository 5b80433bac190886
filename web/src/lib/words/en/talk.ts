// What is said of rooms and messages, in English.
import { counted as n, list, number, plural } from "$lib/text/time";

/** What happened to a room. */
interface System {
  created: (by: string) => string;
  began: (by: string) => string;
  joined: (who: string) => string;
  left: (who: string) => string;
  invited: (by: string, who: string) => string;
  kicked: (by: string, who: string) => string;
  role: (by: string, who: string, role: "owner" | "moderator" | "member") => string;
  heir: (who: string) => string;
  muted: (by: string, who: string, until: string) => string;
  unmuted: (by: string, who: string) => string;
  renamed: (by: string, name: string) => string;
  topic: (by: string, topic: string) => string;
  kind: (by: string, isPrivate: boolean) => string;
  archived: (by: string) => string;
  unarchived: (by: string) => string;
  slow: (by: string, seconds: number) => string;
}

export const talk = {
  room: {
    members: (count: number) => n(count, "member", "members"),
    about: "More about this room",
    noTopic: "No topic yet",
    messages: "Messages",
    newer: (count: number) => `${number(count)} newer`,
    toLatest: "To the newest message",
    newSince: (time: string) => `New since ${time}`,
    newLine: "New",
    begins: (name: string) => `#${name} begins here`,
    beginsText: "Everyone can find and join it. Whoever joins can read it from this first line on.",
    beginsPrivate: "Only people who are added can see it, and then from this first line on.",
    beginsDirect: (names: string) => `You and ${names}`,
    beginsDirectText: (others: number): string => (others === 1 ? "Only the two of you see what is written here." : "Only the people in this group see what is written here."),
    beginsSelf: "Notes to yourself",
    beginsSelfText: "Only you see what you write here.",
    addPeople: "Add people",
    setTopic: "Set a topic",
    gone: "You are not in this room any more.",
    left: "You have left this room.",
    again: "Join again",
    archived: "This room is archived. You can read it, nobody can write.",
    muted: (until: string) => `You can read here, but not write until ${until}.`,
    notFound: "There is no such room, or you may not see it.",
    notFoundText: "The link may be old, or somebody has to add you first.",
    toDay: "Go to a date…",
    joinFirst: "You are not in this room yet.",
    join: "Join",
    leave: "Leave",
    notThere: "This message is not there any more.",
  },

  message: {
    actions: "Message actions",
    react: "Add a reaction",
    reactWith: (emoji: string) => `React with ${emoji}`,
    another: "Another reaction",
    reply: "Quote",
    thread: "Reply in thread",
    save: "Save for later",
    unsave: "Remove from saved",
    copyLink: "Copy link",
    copyText: "Copy text",
    unread: "Mark unread from here",
    pinDone: "Pinned",
    unpinDone: "Unpinned",
    pin: "Pin",
    unpin: "Unpin",
    edit: "Edit",
    delete: "Delete…",
    deleteTitle: "Delete this message?",
    deleteText: "It will be gone for everyone, with all its earlier versions.",
    deleteYes: "Delete",
    edited: "(edited)",
    editedLabel: "Edited, show what it said before",
    deleted: (time: string) => `Deleted at ${time}`,
    unreadable: "This message cannot be read: it could not be decrypted on the server.",
    quoteGone: "a deleted message",
    quoteUnknown: "an earlier message",
    replies: (count: number) => n(count, "reply", "replies"),
    newReplies: (count: number) => `${number(count)} new`,
    alsoInThread: "in a thread",
    readBy: (names: string[], count: number, of: number, isAll: boolean) => {
      if (count === 0) return isAll ? "Nobody has read it yet" : "Nobody who lets it be seen has read it yet";
      const more = count - names.length, others = names.length ? n(more, "other", "others") : n(more, "person", "people");
      const who = list(more > 0 ? [...names, others] : names);
      if (count < of) return `Read by ${who} (${number(count)} of ${number(of)})`;
      return `Read by everyone${isAll ? "" : " who lets it be seen"}${names.length ? `: ${who}` : ""}`;
    },
    whoReacted: "Who reacted",
    copied: "Copied", notCopied: "The browser lets nothing be copied here.",
    linkCopied: "Link copied",
    saved: "Saved",
    unsaved: "Removed from saved",
    showAll: "Show more",
    showLess: "Show less",
    copyCode: "Copy code",
    code: "Code",
    table: "Table",
    versions: "What it said before",
    versionNow: "Now",
    pinnedBy: (name: string) => `Pinned by ${name}`,
    editLabel: "Text of the message",
    editLeft: "You have not finished an edit.", editOn: "Go on", editOld: "The message was changed since then: your edit can only be copied.",
    editHint: "Esc leaves it as it was",
    reactionBy: (emoji: string, names: string[]) => `${emoji}: ${list(names)}`,
    you: "You",
    andMore: (names: string[], more: number) => list([...names, `${number(more)} more`]),
  },

  sending: {
    sending: (seconds: number) => `Sending, ${number(seconds)} s. Kept on this device until stored.`,
    waiting: "Waits for the connection",
    turn: "Waits for its turn",
    slow: (seconds: number) => `Slow room: goes out in ${number(seconds)} s`,
    checked: "Was cut off while sending. Asking the server whether it arrived.",
    failed: (why: string) => `Not sent: ${why}`,
    tooLarge: "it is too large",
    gone: "you are not in this room any more", wasGone: "you were not in this room then",
    retry: "Retry",
    edit: "Edit",
    delete: "Delete", dropEdit: "Drop my change",
    editWaits: "The change waits for the connection",
    editGone: "The message is deleted: there is nothing to edit any more.",
    editEnded: "The message was deleted while you edited it. Your text stands where you write.",
    deleteWaits: "Waits to be deleted",
    pinWaits: "Waits to be pinned",
    unpinWaits: "Waits to be unpinned",
  },

  /** What happened to a room the server says in English itself. */
  system: undefined as System | undefined,

  composer: {
    to: (name: string) => `Message to ${name}`,
    toThread: "Message to the thread",
    placeholder: (name: string) => `Write to ${name}`,
    placeholderThread: "Write to the thread",
    busy: (name: string, until: string) => `${name} does not want to be disturbed${until && ` ${until}`}.`,
    send: "Send",
    emoji: "Emoji",
    mention: "Mention someone",
    formatting: "Formatting",
    newLine: "for a new line",
    also: (name: string) => `Also send to ${name}`,
    quoting: (name: string) => `Quoting ${name}`,
    stopQuoting: "Do not quote",
    tooLong: (over: number, bytes: number, most: number) => `${number(over)} bytes too many: ${number(bytes)}, of ${number(most)} at most. Shorten it or send it in parts.`,
    tooLongFrame: (bytes: number, most: number) =>
      `With its quotes and line breaks, ${number(bytes)} bytes, of ${number(most)} at most. Shorten it or send it in parts.`,
    slow: (seconds: number) => `Slow room: you can send again in ${number(seconds)} s`,
    hold: (seconds: number) => `Faster than the server takes it: it goes on in ${number(seconds)} s`,
    writing: (names: string[]) => plural(names.length, `${list(names)} is writing`, `${list(names)} are writing`),
    manyWriting: "Several people are writing",
    everyone: (room: string) => `Everyone in ${room}`,
    here: "Everyone who is here",
    people: "People",
    rooms: "Rooms",
    formats: { bold: "Bold", italic: "Italic", strike: "Strikethrough", code: "Code", block: "Code block", quote: "Quote", bullets: "List", link: "Link" },
  },

  commands: {
    title: "Commands", offline: "Commands need a connection. What you wrote stays here.", asMessage: "Send it as a message",
  },

  later: {
    title: "For later", send: "Send later",
    in: { 20: "In 20 minutes", 60: "In an hour" } as Record<number, string>,
    other: "Another time…",
    goesOut: (time: string) => `Goes out on ${time}.`, show: "Show",
    writeFirst: "Write first what is to be sent later.", noCommands: "A command cannot be sent later.",
    offline: "What is to be sent later is kept by the server, and that needs a connection. What you wrote stays here.",
    waiting: (count: number) => plural(count, "1 message for later", `${number(count)} messages for later`),
    cancel: "Take back",
    dropText: "It will not be sent. Its text comes back to where you write.", dropReminder: "You will not be reminded of it.", dropUnread: "It will not be sent.", quoted: (text: string) => `“${text}”`,
    cancelled: "Taken back. It will not be sent.", givenBack: "Taken back, not sent. Its text is in the room, where you write.",
    shutTitle: "Take it back?", shutText: "You cannot write in its room now: its text cannot be put there.", shutYes: "Copy and take back",
    clocks: (place: string) => `${place} time`,
    given: "Given back:", elsewhere: "Written on another device:", putHere: "Put it here", undo: "Keep it after all", failed: "A message for later could not be sent.",
    moreDue: (count: number) => `and ${number(count)} more`,
  },

  thread: {
    title: "Thread",
    told: "You are told of new replies",
    notTold: "You are not told of new replies",
    close: "Close the thread",
    backTo: (room: string) => `Back to ${room}`,
    none: "No reply yet",
  },

  pins: { title: "Pinned messages" },
};
