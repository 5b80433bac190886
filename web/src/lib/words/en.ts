// What the page says, in English. Every other language has the same entries.
import { counted as n, number, plural } from "$lib/text/time";
import { dialogs } from "./en/dialogs";
import { talk } from "./en/talk";

/** What codes of errors say; of some, after how many seconds it may be tried again. */
export type Refused = Record<string, string | ((seconds: number) => string)>;

export const en = {
  language: "English",
  close: "Close",
  cancel: "Cancel",
  save: "Save",
  back: "Back",
  more: "More",
  tryAgain: "Try again",
  you: "you",
  You: "You",

  door: {
    signIn: "Sign in",
    to: (host: string) => `to ${host}`,
    join: "Join Parlour",
    joinSub: (host: string) => `You create an account at ${host}.`,
    name: "Name",
    nameHint: "3 to 50 characters: letters A to Z, digits, _ and -. People mention you by this name.",
    password: "Password",
    show: "Show the password",
    hide: "Hide the password",
    register: "Register",
    new: "No account yet?",
    known: "Already here?",
    wrong: "Name or password is not right.",
    taken: "Somebody has this name already, or one that looks like it.",
    closed: "Registration is closed here: whoever runs this server adds people, with “parlour users add”.",
    disabled: "This account is disabled. Ask whoever runs the server.",
    tooMany: (seconds: number) => `Too many tries. Wait ${n(seconds, "second", "seconds")}.`,
    unreachable: "The server cannot be reached. Is there a connection?",
    nameMissing: "Type your name.",
    passwordMissing: "Type your password.",
    passwordShort: "Eight characters at least.",
    passwordLong: "This is too long: 72 bytes at most.",
    strength: ["", "Weak", "Too weak", "Good", "Strong"],
    strengthHint: "Several words that do not belong together are easier to remember, and harder to guess.",
    endedByServer: "This login was ended. Sign in again.",
    endedOther: "Somebody has signed in to another account in this browser. Sign in again to go on as yourself.",
    endedElsewhere: "You were signed out in another tab.",
    untold: "You are signed out here, but the server could not be told: the login ends by itself in a few days.",
    noStorage: "This browser keeps no data for this page. Allow cookies and site data for it, then load it again.",
  },

  side: {
    label: "Rooms and people",
    jump: "Jump to…",
    newMessage: "New message",
    threads: "Threads",
    saved: "Saved",
    rooms: "Rooms",
    people: "People",
    browse: "Browse or make a room",
    write: "Write to someone",
    unread: (count: number) => `${number(count)} unread`,
    mentions: (count: number) => n(count, "mention", "mentions"),
    sectionUnread: (count: number) => `${number(count)} unread in this section`,
    draft: "draft",
    yourself: (name: string) => `${name} (you)`,
    openRooms: "Rooms",
    openRoomsMentions: (count: number) => `Rooms (${n(count, "mention", "mentions")})`,
    menu: "Menu of the workspace",
    signOut: "Sign out",
    profile: "Your profile",
    status: "Set a status",
    keys: "Keys",
    theme: "Theme",
    themes: { system: "As the system", light: "Light", dark: "Dark" },
    languageOf: "Language",
  },

  outbox: {
    label: "What is not sent",
    waiting: (count: number) => plural(count, "1 waits for the connection", `${number(count)} wait for the connection`),
    failed: (count: number) => `${number(count)} not sent`,
    sending: (count: number) => `${number(count)} sending`, title: "Not sent yet", none: "Everything is stored.", goTo: "Open the room",
  },

  presence: { online: "online", away: "away", dnd: "do not disturb", invisible: "hidden", offline: "offline" },

  strip: {
    offline: "You are offline.",
    offlineWaiting: (count: number) =>
      `Go on writing: ${plural(count, "1 message waits on this device and goes out", `${number(count)} messages wait on this device and go out in order, each once,`)} when you are back.`,
    offlineEmpty: "Go on writing: what you send waits on this device, and goes out when you are back.",
    reconnecting: "Reconnecting.",
    nextTry: (seconds: number) => (seconds > 0 ? `Next try in ${number(seconds)} s.` : "Trying now."),
    unreachable: "The server cannot be reached.",
    tryNow: "Try now",
    back: "Back again.",
    fetching: "Fetching what you missed.",
    restored: "This server was restored from a backup.",
    restoredText: "What came after the backup is gone there. What you had not sent is still on this device.",
    stopped: "The server has asked this page not to reconnect by itself.",
    updated: "There is a newer version of this page.",
    load: "Load it",
    lastHeard: (time: string) => `Last heard from the server at ${time}`,
  },

  skip: "To the composer", skipLabel: "Skip",
  unreadTitle: (count: number) => `(${number(count)})`,
  notification: { from: (name: string, room: string) => `${name} in ${room}`, direct: (name: string) => name, reminder: "A reminder" },

  ...talk,
  ...dialogs,
  // The server speaks English, and more exactly than its codes.
  refused: {} as Refused,
};

export type Words = typeof en;
