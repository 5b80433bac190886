// Was Dialoge sagen, auf Deutsch.
import { counted as n } from "$lib/text/time";
import type { dialogs as english } from "../en/dialogs";

export const dialogs: typeof english = {
  slash: {
    me: "Sagt, was du tust: Die Nachricht ist hervorgehoben, wie `*winkt*` in Markdown.",
    shrug: "Sagt den Text und zuckt mit den Schultern: ¯\\_(ツ)_/¯.",
    topic: "Setzt das Thema des Raums; `-` für keines.",
    invite: "Holt jemanden in diesen Raum, oder in einen anderen, in dem du bist.",
    kick: "Nimmt jemanden aus diesem Raum, oder aus einem anderen.",
    leave: "Verlässt diesen Raum, oder einen anderen. Aus #general geht niemand.",
    dm: "Schreibt Leuten direkt; ohne Text öffnet es die Unterhaltung mit ihnen.",
    remind: "Erinnert dich in deinen Notizen, oder sagt es in einem Raum, zu einer Zeit, wie man sie auf Englisch sagt, in der Zeitzone deines Profils.",
    status: "Sagt auf allen deinen Geräten, was du bist; `/status clear` nimmt es zurück, `/status` allein zeigt es.",
  },

  lists: {
    open: "Öffnen", in: (room) => `in ${room}`,
    lastReply: (time, isToday) => `letzte Antwort ${isToday ? "um" : "am"} ${time}`, savedAt: (time, isToday) => `gemerkt ${isToday ? "um" : "am"} ${time}`,
    threads: "Threads", noThreads: "Noch keine Threads", noThreadsText: "Hier stehen Threads, die du beginnst, in denen du antwortest oder erwähnt wirst.",
    saved: "Gemerkt", noSaved: "Noch nichts gemerkt", noSavedText: "Merk dir eine Nachricht, und sie wartet hier auf dich. Sonst erfährt es niemand.",
    noPins: "Nichts ist angeheftet", noPinsText: "Hefte an, was alle im Raum wiederfinden sollen.", closePins: "Angeheftete schließen",
  },

  gone: {
    back: (wasTakenOut, hasDraft) => `Zurück kannst du erst, wenn dich ${wasTakenOut ? "jemand hinzufügt, der ihn moderiert oder dem er gehört" : "jemand hinzufügt, der darin ist"}${hasDraft ? "; was du begonnen hast, bleibt erhalten" : ""}.`,
  },

  unsent: { title: "Noch nicht gesendet", none: "Alles ist gespeichert.", goTo: "Raum öffnen" },

  when: {
    date: "Datum", time: "Uhrzeit", past: "Wähle eine Zeit, die noch kommt.", far: "Das ist zu weit weg: höchstens 366 Tage im Voraus.", schedule: "Dann senden",
    none: "Nichts wartet darauf, später gesendet zu werden.", noneText: "Um etwas später zu senden, schreib es und drücke die Uhr neben Senden.",
    unsaved: "Speichere deine Änderung erst, oder brich sie ab.", empty: "Schreib etwas, oder nimm die Nachricht zurück.",
    change: "Ändern", note: "Nur du siehst, was hier wartet. Zu seiner Zeit geht es von selbst hinaus.",
  },

  zone: {
    use: (place) => `Die Zeit von ${place} nehmen`,
    used: (place) => `Zeiten gelten von jetzt an nach den Uhren von ${place}. Was schon wartet, bleibt, wie es ist: Es steht unter „Für später“.`,
  },

  switcher: {
    label: "Zu einem Raum oder zu jemandem springen",
    placeholder: "Ein Raum, ein Name oder was zu tun ist",
    matches: "Treffer",
    places: "Räume und Leute",
    do: "Aktionen",
    none: "Nichts passt dazu.",
    notJoined: (members) => `Nicht beigetreten · ${n(members, "Mitglied", "Mitglieder")}`,
    choose: "wählen",
    open: "öffnen",
    roomsOnly: "nur Räume",
    peopleOnly: "nur Leute",
    allRead: "Alles als gelesen markieren",
    nextUnread: "Zum nächsten ungelesenen Raum",
    quiet: "Eine Stunde nicht stören",
    newRoom: "Raum anlegen",
    make: (name) => `Den Raum #${name} anlegen`,
    browseRooms: "Räume durchsehen",
  },

  browse: {
    title: "Räume",
    tabBrowse: "Durchsehen",
    tabNew: "Anlegen",
    find: "Raum suchen",
    none: "Kein Raum passt dazu.",
    open: "Öffnen",
    join: "Beitreten",
    name: "Name",
    nameHint: "Kleine Buchstaben a bis z, Ziffern, - und _, mindestens ein Buchstabe.",
    topic: "Worum geht es?",
    optional: "kann leer bleiben",
    who: "Wer darf beitreten?",
    public: "Alle können ihn finden und beitreten",
    private: "Nur wer hinzugefügt wird",
    people: "Wer ist von Anfang an dabei?",
    make: "Raum anlegen",
    nameMissing: "Gib ihm einen Namen.",
    nameWrong: "Nur a bis z, Ziffern, - und _, mindestens ein Buchstabe; höchstens 64.",
    made: (name) => `Der Raum #${name} ist da.`,
  },

  direct: {
    title: "Neue Nachricht", find: "Leute suchen", open: "Öffnen", self: "Notizen für dich",
    hint: "Wähle eine Person, oder mehrere für eine Gruppe. Später kommt niemand mehr hinzu.",
    remove: (name) => `${name} entfernen`, added: (name) => `${name} ist hinzugefügt`, none: "Hier heißt niemand so.",
  },

  notices: {
    title: "Meldungen", here: "Auf diesem Gerät", all: "Auf allen deinen Geräten",
    show: "Melden, was für dich ist", showHint: "Erwähnungen, direkte Nachrichten und was du von jedem Raum wissen willst, während du woanders bist.",
    denied: "Dieser Browser lässt die Seite nichts melden. Erlaube es in seinen Einstellungen für diese Seite.",
    cannot: "Dieser Browser kann nichts melden.", sound: "Auch einen Ton spielen",
    quiet: "Zu bestimmten Stunden Ruhe halten", from: "Von", to: "Bis", zone: "In der Zeitzone", utc: "UTC, solange du keine Zone wählst", zoneHint: "Andere sehen deine Zone in deinem Profil.",
    quietHint: "Dann gibt es keine Meldungen und keine Töne. Erwähnungen zählen trotzdem und warten auf dich.", both: "Gib zwei verschiedene Zeiten an.",
    rooms: "Was du von einem Raum wissen willst, stellst du im Raum ein, bei den drei Punkten.", saved: "Für alle deine Geräte gespeichert",
  },

  profile: {
    label: (name) => `Profil von ${name}`,
    message: "Nachricht",
    mention: "Erwähnen",
    localTime: (time, zone) => `${time} in ${zone}`,
    since: (date) => `hier seit ${date}`,
    title: "Dein Profil",
    display: "Name, den andere sehen",
    bio: "Über dich",
    pronouns: "Pronomen",
    zone: "Zeitzone",
    zoneNone: "Keine zeigen",
    receipts: "Anderen zeigen, wie weit du gelesen hast",
    receiptsHint: "Sonst siehst du auch von anderen nicht, wie weit sie gelesen haben.",
    password: "Passwort ändern",
    current: "Jetziges Passwort",
    new: "Neues Passwort",
    passwordDone: "Das Passwort ist geändert. Alle anderen Anmeldungen sind beendet.",
  },

  status: {
    title: "Dein Status",
    presence: "Anwesenheit",
    notes: {
      online: "Andere sehen, dass du da bist, und nach einigen Minuten ohne Regung, dass du abwesend bist.",
      away: "Andere sehen dich als abwesend. Gemeldet wird dir alles wie sonst.",
      dnd: "Keine Töne und keine Meldungen. Erwähnungen zählen trotzdem und warten auf dich.",
      invisible: "Andere sehen dich als offline und nicht, wie weit du liest. Gemeldet wird dir alles wie sonst.",
    },
    doing: "Was machst du?",
    emoji: "Emoji",
    clearIt: "Endet",
    keeps: (time, state) => `am ${time}${state ? `, dann: ${state}` : ""}`,
    comesBack: (state, time) => `Ab ${time} gilt wieder „${state}“.`,
    never: "nicht von selbst",
    in: { 30: "in 30 Minuten", 60: "in 1 Stunde", 240: "in 4 Stunden", 1440: "morgen" },
    today: "am Ende des Tages",
    week: "am Ende der Woche",
    clear: "Status löschen",
    presets: [
      { emoji: "🥪", text: "Beim Essen", minutes: 60, note: "1 Stunde" },
      { emoji: "🚲", text: "Unterwegs", minutes: 30, note: "30 Minuten" },
      { emoji: "🤒", text: "Krank", minutes: 0, note: "bis ich es lösche" },
      { emoji: "🌴", text: "Im Urlaub", minutes: 0, note: "bis ich es lösche" },
    ],
  },

  date: {
    title: (room) => `Zu einem Tag springen: ${room}`, go: "Dorthin",
    none: "An diesem Tag und seither wurde nichts geschrieben.", next: (day) => `An diesem Tag wurde nichts geschrieben. Das kam danach: ${day}.`,
  },

  emoji: { title: "Emoji", find: "Emoji suchen (englisch)", none: "Kein Emoji passt dazu.", recent: "Zuletzt benutzt" },

  keys: {
    title: "Tasten",
    opens: "Öffnet sich mit",
    outside: "außerhalb des Textfelds",
    sections: [
      ["Gehen", [["Zu Raum oder Person springen", "Ctrl K"], ["Nächster ungelesener Raum", "Alt Shift ↓"], ["Raum darüber, darunter", "Alt ↑ ↓"], ["Zurück", "Alt ←"], ["Räume, Kopf, Nachrichten, Schreiben, Seitenfeld", "F6"], ["Dasselbe rückwärts", "Shift F6"]]],
      ["Lesen", [["Nachricht darüber, darunter", "↑ ↓"], ["Erste ungelesene", "Shift U"], ["Neueste", "End"], ["Zu einem Tag", "D"], ["Alles gelesen", "Shift Esc"], ["Ab hier ungelesen", "U"]]],
      ["Auf die gewählte Nachricht antworten", [["Thread öffnen oder beginnen", "T"], ["Zitieren", "Q"], ["Reagieren", "R"], ["Bearbeiten", "E"], ["Merken", "S"], ["Anheften", "P"], ["Löschen", "Del"]]],
      ["Schreiben", [["Senden", "Enter"], ["Neue Zeile", "Shift Enter"], ["Später senden", "Ctrl Shift Enter"], ["Letzte eigene bearbeiten", "↑"], ["Fett", "Ctrl B"], ["Code", "Ctrl E"], ["Link", "Ctrl L"], ["Emoji", "Ctrl ."]]],
      ["Fenster", [["Fenster schließen", "Esc"], ["Mitglieder", "Ctrl Shift M"], ["Status", "Ctrl Shift Y"], ["Diese Übersicht", "?"]]],
    ],
  },
};
