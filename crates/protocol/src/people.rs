//! People: who is here and in what state, who is typing, and what people say of themselves.

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::time::{self, Timestamp};

/// What someone has chosen to be.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// What their devices show: here, or away when none of them is in use.
    #[default]
    Online,
    /// Away, whatever their devices show.
    Away,
    /// Here, and not to be disturbed.
    Dnd,
    /// As if they were not here.
    Invisible,
}

impl State {
    /// The word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How someone is seen.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Presence {
    /// Here.
    Online,
    /// Connected, and not in use on any device; or so by choice.
    Away,
    /// Not to be disturbed.
    Dnd,
    /// Only told to oneself: here, and to all others not here.
    Invisible,
    /// Not here.
    #[default]
    Offline,
    /// One that this program does not know (for clients; the server never sends it).
    #[serde(other, skip_serializing)]
    #[cfg_attr(feature = "documents", schemars(skip))]
    Unknown,
}

/// `PUT /api/users/me/status`, and the frame `status`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct SetStatus {
    /// What to be. On the socket, `away` with nothing beside it is about this device alone, as `"idle": true` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// A few words in one line; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// One emoji; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// When that ends; absent beside a new text, emoji or choice: never, but a state that was to end, and is not named, keeps
    /// its end. A state that had no end before comes back then.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub until: Option<Timestamp>,
    /// Only on the socket: whether the device is not in use. Someone is away when all of their sockets say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<bool>,
}

/// What someone has chosen to be, and what they say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Status {
    /// What; of others it is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// A few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// An emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// When it ends.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub until: Option<Timestamp>,
    /// The state that had no end and comes back then; of others it is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then_state: Option<State>,
}

impl Status {
    /// What holds of it at a moment: from its end on the state that comes back, or nothing.
    #[must_use]
    pub fn at(self, moment: Timestamp) -> Self {
        match self.until {
            Some(until) if until <= moment => Self {
                state: self.then_state,
                ..Self::default()
            },
            _ => self,
        }
    }
}

/// How someone is seen, and what they say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Seen {
    /// Who.
    pub user_id: i64,
    /// Who, by name.
    pub username: String,
    /// How.
    pub state: Presence,
    /// A few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// An emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// When the text, the emoji and the choice end.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub until: Option<Timestamp>,
}

/// `{"type":"presence","users":[…]}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct PresenceNews {
    /// Who is in another state now.
    pub users: Vec<Seen>,
    /// True when this begins afresh: whoever is not named, here or in a later frame, is offline.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// `{"type":"typing","room":"garden"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Typing {
    /// The room's key.
    pub room: String,
    /// In this thread, by its first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
}

/// `{"type":"typing","room","user_id","username","thread"?}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct TypingNews {
    /// The room's key.
    pub room: String,
    /// Who.
    pub user_id: i64,
    /// Who, by name.
    pub username: String,
    /// In this thread, by its first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
}

/// `{"type":"user",…}`: what someone says of themselves, as it now is. What is absent they say nothing of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct UserNews {
    /// Who.
    pub user_id: i64,
    /// Who, by name.
    pub username: String,
    /// What they are called.
    #[serde(flatten)]
    pub about: About,
}

/// What someone says of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct About {
    /// What people call them. Anyone may take any: show the username beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What they tell of themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// How to speak of them, in their own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pronouns: Option<String>,
    /// A name of the IANA time zone database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Someone, as everyone who is logged in sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Profile {
    /// The user's id.
    pub id: i64,
    /// The name as its owner writes it.
    pub username: String,
    /// What they say of themselves.
    #[serde(flatten)]
    pub about: About,
    /// How they are seen; told only to who shares a room with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// What they say of it; told only to who shares a room with them. One's own with what was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whether others see how far the caller has read, and the caller how far they have; told only to oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts: Option<bool>,
    /// When nothing is to disturb the caller, as `22:00-07:00` in their time zone; told only to oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<String>,
    /// When the account was made.
    #[serde(with = "time")]
    #[cfg_attr(feature = "documents", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// `PATCH /api/users/me`: what is absent stays, what is empty goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct ProfilePatch {
    /// What people are to call the caller. Control characters, marks of direction and heaps of accents are taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the caller tells of themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "documents", schema(pattern = r"^[^\x00]*$"))]
    pub bio: Option<String>,
    /// How to speak of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pronouns: Option<String>,
    /// A name of the IANA time zone database, such as `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether others see how far the caller has read, and the caller how far they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts: Option<bool>,
    /// When nothing is to disturb the caller: from and to in their time zone (in UTC, if they have none), as `22:00-07:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "documents",
        schema(
            pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9])?$",
            example = "22:00-07:00"
        )
    )]
    pub quiet_hours: Option<String>,
}

/// `{"type":"settings",…}`, and in the first frame: what you have set for yourself, on all your devices. It is told to no one else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Settings {
    /// Whether others see how far you have read, and you how far they have.
    #[serde(default = "yes")]
    pub receipts: bool,
    /// When nothing is to disturb you, as `22:00-07:00`: by the clocks of `time_zone`, or of UTC where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<String>,
    /// Your time zone: a name of the IANA time zone database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            receipts: true,
            quiet_hours: None,
            time_zone: None,
        }
    }
}

fn yes() -> bool {
    true
}

/// When nothing is to disturb someone: from a time of day until another, the next day where that is the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: NaiveTime,
    until: NaiveTime,
}

impl QuietHours {
    /// Reads them as `22:00-07:00`; `None` when they are anything else, or no time at all.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let below = |digits: &str, end: u32| {
            let is_plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.parse().ok().filter(|_| is_plain);
            number.filter(|number| *number < end)
        };
        let time = |text: &str| {
            let (hours, minutes) = text.split_once(':')?;
            NaiveTime::from_hms_opt(below(hours, 24)?, below(minutes, 60)?, 0)
        };
        let (from, until) = text.split_once('-')?;
        let (from, until) = (time(from)?, time(until)?);
        (from != until).then_some(Self { from, until })
    }

    /// Whether they hold when clocks show this time of day. (Clocks are what counts, also where they are put back or on.)
    #[must_use]
    pub fn hold_at(&self, time: NaiveTime) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_are_two_times_of_day() {
        for right in ["22:00-07:00", "00:00-23:59", "12:30-13:00"] {
            assert!(QuietHours::read(right).is_some(), "{right}");
        }
        for wrong in [
            "",
            "-",
            "22-07",
            "22:00",
            "22:00-22:00",
            "24:00-07:00",
            "22:60-07:00",
            "9:00-17:00",
            "22:00-07:00 ",
            "+2:00-07:00",
            "22:00–07:00",
            "22:00-07:00-08:00",
        ] {
            assert_eq!(QuietHours::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn quiet_hours_go_over_midnight_and_end_on_the_minute() {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M:%S").expect("a time");
        for (hours, quiet, loud) in [
            (
                "22:00-07:00",
                ["22:00:00", "00:00:00", "06:59:59"],
                ["07:00:00", "12:00:00", "21:59:59"],
            ),
            (
                "12:30-13:00",
                ["12:30:00", "12:45:00", "12:59:59"],
                ["13:00:00", "00:00:00", "12:29:59"],
            ),
            (
                "07:00-00:00",
                ["07:00:00", "12:00:00", "23:59:59"],
                ["00:00:00", "03:00:00", "06:59:59"],
            ),
        ] {
            let hours = QuietHours::read(hours).expect("hours");
            assert!(quiet.iter().all(|at| hours.hold_at(time(at))), "{hours:?}");
            assert!(!loud.iter().any(|at| hours.hold_at(time(at))), "{hours:?}");
        }
    }
}
