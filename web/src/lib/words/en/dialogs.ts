// What dialogs say, in English.
import { counted as n } from "$lib/text/time";

export const dialogs = {
  /** What commands do, by their names; in English the server says it itself. */
  slash: {} as Record<string, string>,

  lists: {
    open: "Open", in: (room: string) => `in ${room}`,
    lastReply: (time: string, isToday: boolean) => `last reply ${isToday ? "at" : "on"} ${time}`, savedAt: (time: string, isToday: boolean) => `saved ${isToday ? "at" : "on"} ${time}`,
    threads: "Threads", noThreads: "No threads yet", noThreadsText: "Threads that you begin, reply in or are mentioned in are listed here.",
    saved: "Saved", noSaved: "Nothing saved yet", noSavedText: "Save a message, and it waits here for you. Nobody else learns of it.",
    noPins: "Nothing is pinned", noPinsText: "Pin what everyone in the room should find again.", closePins: "Close the pinned messages",
  },

  gone: {
    back: (wasTakenOut: boolean, hasDraft: boolean) => `${wasTakenOut ? "A moderator or an owner" : "Someone in it"} has to add you before you can come back${hasDraft ? "; what you began to write is kept" : ""}.`,
  },

  unsent: { title: "Not sent yet", none: "Everything is stored.", goTo: "Open the room" },

  when: {
    date: "Date", time: "Time", past: "Choose a time that is still to come.", far: "That is too far away: 366 days ahead at most.", schedule: "Send then",
    none: "Nothing waits to be sent later.", noneText: "To send a message later, write it and press the clock beside Send.",
    unsaved: "Save your change first, or cancel it.", empty: "Write something, or take the message back.",
    change: "Change", note: "Only you see what waits here. At its time it goes out by itself.",
  },

  zone: {
    use: (place: string) => `Use the time of ${place}`,
    used: (place: string) => `Times are read by the clocks of ${place} from now on. What waits already stays as it is: it is listed under “For later”.`,
  },

  switcher: {
    label: "Jump to a room or person",
    placeholder: "A room, a person, or what to do",
    matches: "Matches",
    places: "Rooms and people",
    do: "Actions",
    none: "Nothing matches.",
    notJoined: (members: number) => `Not joined · ${n(members, "member", "members")}`,
    choose: "choose",
    open: "open",
    roomsOnly: "rooms only",
    peopleOnly: "people only",
    allRead: "Mark all as read",
    nextUnread: "Go to the next unread room",
    quiet: "Do not disturb for an hour",
    newRoom: "Make a room",
    make: (name: string) => `Make the room #${name}`,
    browseRooms: "Browse rooms",
  },

  browse: {
    title: "Rooms",
    tabBrowse: "Browse",
    tabNew: "Make one",
    find: "Find a room",
    none: "No room matches.",
    open: "Open",
    join: "Join",
    name: "Name",
    nameHint: "Small letters a to z, digits, - and _, with a letter in it.",
    topic: "What is it about?",
    optional: "optional",
    who: "Who can join?",
    public: "Everyone can find and join it",
    private: "Only people who are added",
    people: "Who is in it from the start?",
    make: "Make the room",
    nameMissing: "Give it a name.",
    nameWrong: "Only a to z, digits, - and _, with a letter in it; 64 at most.",
    made: (name: string) => `The room #${name} has been made.`,
  },

  direct: {
    title: "New message", find: "Find people", open: "Open", self: "Notes to yourself",
    hint: "Choose one person, or several for a group. Nobody can be added to a group later.",
    remove: (name: string) => `Remove ${name}`, added: (name: string) => `${name} is added`, none: "Nobody of that name is here.",
  },

  notices: {
    title: "Notices", here: "On this device", all: "On all your devices",
    show: "Show notices of what is for you", showHint: "Mentions, direct messages and whatever you have chosen for each room, while you are looking elsewhere.",
    denied: "This browser does not let the page show notices. Allow them in its settings for this page.",
    cannot: "This browser has no notices.", sound: "Play a sound, too",
    quiet: "Be quiet at certain hours", from: "From", to: "Until", zone: "In the time zone", utc: "UTC, until you choose a zone", zoneHint: "Others see your zone in your profile.",
    quietHint: "Then there are no notices and no sounds. Mentions still count and wait for you.", both: "Give two different times.",
    rooms: "What you are told about a room is set in the room itself, behind its three dots.", saved: "Saved for all your devices",
  },

  profile: {
    label: (name: string) => `Profile of ${name}`,
    message: "Message",
    mention: "Mention",
    localTime: (time: string, zone: string) => `${time} in ${zone}`,
    since: (date: string) => `here since ${date}`,
    title: "Your profile",
    display: "Name that others see",
    bio: "About you",
    pronouns: "Pronouns",
    zone: "Time zone",
    zoneNone: "Do not show one",
    receipts: "Show others how far you have read",
    receiptsHint: "If you do not, you do not see how far others have read, either.",
    password: "Change the password",
    current: "Current password",
    new: "New password",
    passwordDone: "The password is changed. All other logins are ended.",
  },

  status: {
    title: "Your status",
    presence: "Presence",
    notes: {
      online: "Others see that you are here, and that you are away after some minutes without a touch.",
      away: "Others see you as away. You are told of everything as always.",
      dnd: "No sounds and no notices. Mentions still count and wait for you.",
      invisible: "Others see you as offline, and not how far you read. You are told of everything as always.",
    },
    doing: "What are you doing?",
    emoji: "Emoji",
    clearIt: "It ends",
    keeps: (time: string, state?: string) => `on ${time}${state ? `, then: ${state}` : ""}`,
    comesBack: (state: string, time: string) => `From ${time} on it is “${state}” again.`,
    never: "not by itself",
    in: { 30: "in 30 minutes", 60: "in 1 hour", 240: "in 4 hours", 1440: "tomorrow" } as Record<number, string>,
    today: "at the end of today",
    week: "at the end of this week",
    clear: "Clear status",
    presets: [
      { emoji: "🥪", text: "At lunch", minutes: 60, note: "1 hour" },
      { emoji: "🚲", text: "On the way", minutes: 30, note: "30 minutes" },
      { emoji: "🤒", text: "Ill", minutes: 0, note: "until I clear it" },
      { emoji: "🌴", text: "On holiday", minutes: 0, note: "until I clear it" },
    ],
  },

  date: {
    title: (room: string) => `Go to a date in ${room}`, go: "Go there",
    none: "Nothing was written on that day or since.", next: (day: string) => `Nothing was written on that day. This is what came next: ${day}.`,
  },

  emoji: { title: "Emoji", find: "Find an emoji", none: "No emoji matches.", recent: "Recently used" },

  keys: {
    title: "Keys",
    opens: "Opens with",
    outside: "outside the composer",
    sections: [
      ["Go", [["Jump to a room or person", "Ctrl K"], ["Next unread room", "Alt Shift ↓"], ["Room above, below", "Alt ↑ ↓"], ["Back", "Alt ←"], ["Rooms, head, messages, writing, pane", "F6"], ["The same, backwards", "Shift F6"]]],
      ["Read", [["Message above, below", "↑ ↓"], ["First unread", "Shift U"], ["Newest", "End"], ["Go to a date", "D"], ["All read", "Shift Esc"], ["Unread from here", "U"]]],
      ["Answer the chosen message", [["Open or begin its thread", "T"], ["Quote", "Q"], ["React", "R"], ["Edit", "E"], ["Save for later", "S"], ["Pin", "P"], ["Delete", "Del"]]],
      ["Write", [["Send", "Enter"], ["New line", "Shift Enter"], ["Send later", "Ctrl Shift Enter"], ["Edit your last message", "↑"], ["Bold", "Ctrl B"], ["Code", "Ctrl E"], ["Link", "Ctrl L"], ["Emoji", "Ctrl ."]]],
      ["Window", [["Close pane or dialog", "Esc"], ["Members", "Ctrl Shift M"], ["Status", "Ctrl Shift Y"], ["This sheet", "?"]]],
    ] as [string, [string, string][]][],
  },
};
