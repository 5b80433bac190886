//! Slash commands: which there are, how one is sent, and what is answered. A client turns a line that begins with `/` into
//! one, and `//` into a message that begins with `/`; the server interprets no message.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{message::Message, people::Status, room::RoomKind, scheduled::Scheduled};

/// A slash command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Slash {
    /// Say what one does.
    Me,
    /// Shrug.
    Shrug,
    /// Set the topic.
    Topic,
    /// Bring someone in.
    Invite,
    /// Take someone out.
    Kick,
    /// Be a member no longer.
    Leave,
    /// Write to people directly.
    Dm,
    /// Be reminded of something.
    Remind,
    /// Say what one is.
    Status,
}

/// What there is to say of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which it is.
    pub slash: Slash,
    /// How it is written. What is in brackets may be left out.
    pub usage: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// How it may look.
    pub example: &'static str,
    /// In which rooms it can be used.
    pub rooms: &'static [RoomKind],
}

const EVERYWHERE: &[RoomKind] = &[RoomKind::Public, RoomKind::Private, RoomKind::Direct];
const NOT_DIRECT: &[RoomKind] = &[RoomKind::Public, RoomKind::Private];

/// All of them, in the order in which they are shown. What parses them, what is served at `/api/commands` and what the
/// documents show is all made from here.
pub const TABLE: &[Entry] = &[
    Entry {
        slash: Slash::Me,
        usage: "/me <what you do>",
        about: "Says what you do: the message is emphasised, as `*waves*` in Markdown.",
        example: "/me waves",
        rooms: EVERYWHERE,
    },
    Entry {
        slash: Slash::Shrug,
        usage: "/shrug [text]",
        about: "Says the text, and shrugs: ¯\\_(ツ)_/¯.",
        example: "/shrug who knows",
        rooms: EVERYWHERE,
    },
    Entry {
        slash: Slash::Topic,
        usage: "/topic <text>",
        about: "Sets the topic of the room; `-` for none.",
        example: "/topic seeds and tools",
        rooms: NOT_DIRECT,
    },
    Entry {
        slash: Slash::Invite,
        usage: "/invite @user [#room]",
        about: "Brings someone into this room, or into another one that you are in.",
        example: "/invite @bob",
        rooms: NOT_DIRECT,
    },
    Entry {
        slash: Slash::Kick,
        usage: "/kick @user [#room]",
        about: "Takes someone out of this room, or of another one.",
        example: "/kick @bob",
        rooms: NOT_DIRECT,
    },
    Entry {
        slash: Slash::Leave,
        usage: "/leave [#room]",
        about: "Leaves this room, or another one. No one leaves #general.",
        example: "/leave #garden",
        rooms: NOT_DIRECT,
    },
    Entry {
        slash: Slash::Dm,
        usage: "/dm @user[,@user…] [text]",
        about: "Writes to people directly; without a text, opens the conversation with them.",
        example: "/dm @bob are you there?",
        rooms: EVERYWHERE,
    },
    Entry {
        slash: Slash::Remind,
        usage: "/remind [me|#room] <when> <what>",
        about: "Reminds you among your own notes, or says it in a room, at a time as people say it, in the time zone of your profile.",
        example: "/remind me tomorrow at 9 to water the tomatoes",
        rooms: EVERYWHERE,
    },
    Entry {
        slash: Slash::Status,
        usage: "/status [online:|away:|dnd:|invisible:] [emoji] [text] [for <time>]",
        about: "Says what you are, on all your devices; `/status clear` takes it back, `/status` alone shows it.",
        example: "/status dnd: 🍜 at lunch for 30 minutes",
        rooms: EVERYWHERE,
    },
];

impl Slash {
    /// What it is called, without the slash.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What there is to say of it.
    #[must_use]
    pub fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.slash == self)
    }
}

/// A command, as `GET /api/commands` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct SlashCommand {
    /// What it is called, without the slash.
    pub name: String,
    /// How it is written. What is in brackets may be left out.
    pub usage: String,
    /// What it does, in one sentence.
    pub about: String,
    /// How it may look.
    pub example: String,
    /// In which rooms it can be used.
    pub rooms: Vec<RoomKind>,
}

impl From<&Entry> for SlashCommand {
    fn from(entry: &Entry) -> Self {
        Self {
            name: entry.slash.name().into(),
            usage: entry.usage.into(),
            about: entry.about.into(),
            example: entry.example.into(),
            rooms: entry.rooms.to_vec(),
        }
    }
}

/// `POST /api/rooms/{room}/commands`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct NewCommand {
    /// The command as it was typed, from its slash on.
    #[cfg_attr(feature = "documents", schema(pattern = "^/[a-z]+( [^\\x00]*)?$"))]
    pub text: String,
    /// Makes a retry safe for ever where the command says something: it is the `client_id` of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "documents", schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"))]
    pub client_id: Option<String>,
    /// Where the command says something here: the first message of the thread in which that is a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
}

/// `{"type":"command","room":"garden","text":"/me waves"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct SendCommand {
    /// The room in which it is typed: its key or name.
    pub room: String,
    /// The command.
    #[serde(flatten)]
    pub command: NewCommand,
}

/// What has come of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct CommandDone {
    /// Which it was, without the slash.
    #[cfg_attr(feature = "documents", schema(example = "me"))]
    pub command: String,
    /// What was done, in one plain sentence for whoever typed it.
    #[cfg_attr(feature = "documents", schema(example = "Said."))]
    pub done: String,
    /// The key of the room in which something was said or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The message that was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// What the caller is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What is to be said later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Scheduled>,
    /// Present and true when nothing was changed by it, since all was so before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_one_entry_whose_texts_begin_with_its_name() {
        let listed: Vec<Slash> = TABLE.iter().map(|entry| entry.slash).collect();
        assert_eq!(listed, Slash::VARIANTS);
        for entry in TABLE {
            let word = format!("/{}", entry.slash.name());
            for text in [entry.usage, entry.example] {
                assert_eq!(text.split(' ').next(), Some(word.as_str()), "{text}");
            }
            assert_eq!(entry.slash.entry(), Some(entry));
            assert_eq!(entry.slash.name().parse(), Ok(entry.slash));
        }
    }
}
