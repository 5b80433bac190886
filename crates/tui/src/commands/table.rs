//! The table itself.

use crossterm::event::KeyCode;

use super::Action::{
    AlsoToRoom, Archive, Bio, Create, CreatePrivate, Delete, DeleteToStart, Direct, Edit, Escape,
    FirstUnread, Help, Hide, Invite, Join, Kick, Leave, LeaveRoom, LineDown, LineUp, LogOut,
    MarkUnread, Members, Mute, Name, NewLine, Newest, NextUnread, Notify, Oldest, PageDown, PageUp,
    PickDown, PickUp, Pin, Pronouns, Quiet, React, Reconnect, Redraw, Rename, Reply, Reschedule,
    Role, Rooms, Save, Saved, Scheduled, Send, Slow, Switch, Thread, Threads, Topic, Unarchive,
    Undo, Unmute, WhoIs, Zone,
};
use super::Held::{Alt, Anything, Ctrl, Nothing};
use super::Trigger::{Key, Phrase, Typed, Word};
use super::{Row, Trigger};

const fn row(by: &'static [Trigger], what: &'static str) -> Row {
    Row {
        by,
        also: &[],
        what,
    }
}

/// The table. Of two triggers that fit, the first counts.
pub const TABLE: &[Row] = &[
    row(&[Key(KeyCode::Enter, Nothing, Send)], "send"),
    Row {
        by: &[
            Key(KeyCode::Enter, Alt, NewLine),
            Key(KeyCode::Char('j'), Ctrl, NewLine),
        ],
        also: &[Key(KeyCode::Enter, Anything, NewLine)],
        what: "new line",
    },
    row(
        &[
            Key(KeyCode::PageUp, Anything, PageUp),
            Key(KeyCode::PageDown, Anything, PageDown),
        ],
        "scroll",
    ),
    Row {
        by: &[
            Key(KeyCode::Home, Anything, Oldest),
            Key(KeyCode::End, Anything, Newest),
        ],
        also: &[Key(KeyCode::Esc, Anything, Escape)],
        what: "oldest loaded, newest (when nothing is written)",
    },
    row(
        &[
            Key(KeyCode::Up, Nothing, LineUp),
            Key(KeyCode::Down, Nothing, LineDown),
        ],
        "edit what you wrote last (at the end, when nothing is written); scroll by a line",
    ),
    row(
        &[Typed("Ctrl+A"), Typed("Ctrl+E")],
        "start, end of the line",
    ),
    row(
        &[
            Typed("Ctrl+W"),
            Key(KeyCode::Char('u'), Ctrl, DeleteToStart),
        ],
        "delete a word, to the start of the line",
    ),
    row(
        &[Key(KeyCode::Char('z'), Ctrl, Undo), Typed("Ctrl+Y")],
        "undo, bring back what was deleted",
    ),
    row(
        &[Key(KeyCode::Char('l'), Ctrl, Redraw)],
        "draw the screen again",
    ),
    row(
        &[Key(KeyCode::Char('k'), Ctrl, Switch)],
        "go to a room, a public room or a person, by a few letters",
    ),
    row(
        &[Word("rooms", Rooms)],
        "list your rooms with their keys, and the public ones that you can join",
    ),
    row(
        &[Key(KeyCode::Tab, Nothing, NextUnread)],
        "go to the next room or thread with something unread",
    ),
    row(
        &[
            Key(KeyCode::Char('n'), Alt, FirstUnread),
            Word("unread", MarkUnread),
        ],
        "go to the first unread message here; mark the chosen message and what follows as unread",
    ),
    row(
        &[Word("threads", Threads)],
        "list the threads that you follow, with what is new in them; Enter opens one, Delete follows it no more",
    ),
    row(
        &[
            Key(KeyCode::Char('t'), Alt, Thread),
            Key(KeyCode::Char('a'), Alt, AlsoToRoom),
        ],
        "open the thread under the chosen message or the last one, go back (Esc, too); let what you write there stand in the room as well",
    ),
    row(
        &[
            Phrase("create", "NAME", Create),
            Phrase("private", "NAME", CreatePrivate),
        ],
        "make a public room, a private one",
    ),
    Row {
        by: &[Phrase("direct", "NAMES", Direct), Word("hide", Hide)],
        also: &[],
        what: "write to these people alone, hide that until somebody writes again",
    },
    row(
        &[Phrase("join", "ROOM", Join), Word("leave", LeaveRoom)],
        "come into a public room, leave this one",
    ),
    row(
        &[
            Phrase("invite", "NAME", Invite),
            Phrase("kick", "NAME", Kick),
        ],
        "bring someone into this room, take someone out",
    ),
    row(
        &[Phrase("topic", "TEXT", Topic)],
        "say what this room is about (- for nothing)",
    ),
    row(
        &[Phrase("rename", "NAME", Rename)],
        "give this room another name",
    ),
    row(
        &[Word("archive", Archive), Word("unarchive", Unarchive)],
        "let nothing be written in this room any more, let it be written in again",
    ),
    row(
        &[Phrase("slow", "SECONDS", Slow)],
        "let members wait so long between two messages (0: not at all)",
    ),
    row(
        &[Word("members", Members)],
        "who is in this room, with roles and mutes, and who of them is online",
    ),
    row(
        &[Phrase("role", "NAME ROLE", Role)],
        "make a member an owner, a moderator or a member",
    ),
    row(
        &[
            Phrase("mute", "NAME [TIME]", Mute),
            Phrase("unmute", "NAME", Unmute),
        ],
        "let a member only read for a time (30m, 2h, 7d; an hour if none is given), let them write again",
    ),
    row(
        &[
            Key(KeyCode::Up, Alt, PickUp),
            Key(KeyCode::Down, Alt, PickDown),
        ],
        "choose a message, for what is done with one",
    ),
    row(
        &[Word("edit", Edit)],
        "correct what was refused or waits to be sent, else edit the chosen message or your last one",
    ),
    row(
        &[Word("delete", Delete)],
        "delete the chosen message or your last one, or take back what was refused or waits to be sent",
    ),
    row(
        &[Word("reply", Reply)],
        "answer the chosen message or the last one of another",
    ),
    row(
        &[Phrase("react", "EMOJI", React)],
        "react to the chosen message or the last one of another (👍 or :thumbsup:); again takes it back",
    ),
    row(
        &[Word("pin", Pin)],
        "pin the chosen message or the last one of another; again unpins it",
    ),
    row(
        &[Word("save", Save), Word("saved", Saved)],
        "save the chosen message or the last one of another (again: no longer), list what you have saved",
    ),
    row(
        &[
            Word("scheduled", Scheduled),
            Phrase("reschedule", "TIME", Reschedule),
        ],
        "list your messages for later and reminders (/remind makes one): Enter changes the text, T the time, Delete takes one back; give the one that you change another time (also behind its text)",
    ),
    row(
        &[
            Phrase("whois", "NAME", WhoIs),
            Key(KeyCode::Char('w'), Alt, WhoIs),
        ],
        "what someone says of themselves, or who wrote the chosen message",
    ),
    row(
        &[
            Phrase("name", "TEXT", Name),
            Phrase("pronouns", "TEXT", Pronouns),
            Phrase("about", "TEXT", Bio),
        ],
        "say how others are to call you, how they speak of you, and what there is to know of you (- for nothing)",
    ),
    row(
        &[Phrase("notify", "LEVEL", Notify)],
        "ring the bell for all of this room, for mentions of you, or for nothing (all, mentions, nothing)",
    ),
    row(
        &[
            Phrase("quiet", "HOURS", Quiet),
            Phrase("zone", "NAME", Zone),
        ],
        "ring no bell at these hours (22:00-07:00; - for none), say in which time zone you are (Europe/Berlin)",
    ),
    row(
        &[Typed("@ and Tab"), Typed("/ and Tab")],
        "complete the name of someone in this room, a command",
    ),
    row(&[Word("reconnect", Reconnect)], "try to connect now"),
    row(
        &[Word("logout", LogOut)],
        "end this login and forget it on this computer",
    ),
    Row {
        by: &[Word("quit", Leave), Key(KeyCode::Char('c'), Ctrl, Leave)],
        also: &[Word("exit", Leave), Word("q", Leave)],
        what: "leave",
    },
    row(&[Typed("//text")], "send a line that starts with /"),
    Row {
        by: &[Word("help", Help)],
        also: &[Word("?", Help)],
        what: "this list; arrows scroll it, Esc closes it",
    },
];
