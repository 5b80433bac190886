//! How a room is called on the command line: by its key, by its name with or without a `#`, or by `@` and a person.

use parlour_client::{
    api::{Answer, Ask, Failure},
    login::Account,
};

use super::ClientError;
use crate::protocol::room::NewDirect;

/// A room as it was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RoomWord {
    /// By its key or its name.
    Named(String),
    /// The direct room with this user.
    With(String),
}

impl RoomWord {
    /// Reads it.
    pub(super) fn read(text: &str) -> Result<Self, ClientError> {
        let word = text.trim();
        let read = match word.strip_prefix('@') {
            Some(user) => Self::With(user.to_owned()),
            None => Self::Named(word.strip_prefix('#').unwrap_or(word).to_owned()),
        };
        if matches!(&read, Self::With(users) if users.contains([',', ' '])) {
            return Err(ClientError::usage(
                "A conversation with several people is named by its key after --room: /rooms in `parlour chat` lists the keys.",
            ));
        }
        match &read {
            Self::Named(name) | Self::With(name) if name.is_empty() => Err(ClientError::usage(
                "No room is named after --room: give its name or its key, or @ and a name for the direct room with someone.",
            )),
            _ => Ok(read),
        }
    }

    /// The key or name to ask the server for. A direct room is opened, if there is none yet.
    pub(super) async fn find(&self, account: &Account) -> Result<String, Failure> {
        let user = match self {
            Self::Named(name) => return Ok(name.clone()),
            Self::With(user) => user.clone(),
        };
        let ask = Ask::Direct(NewDirect { users: vec![user] });
        let opened = account.with_bearer(async |api, bearer| api.ask(bearer, &ask).await);
        match opened.await? {
            Answer::Room(room) => Ok(room.room),
            _ => Err(Failure::Unreachable(
                "The server has answered something else than a room.".into(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_called_by_name_or_by_a_person() {
        for (text, name) in [("garden", "garden"), ("#Garden", "Garden"), (" 7 ", "7")] {
            assert_eq!(RoomWord::read(text), Ok(RoomWord::Named(name.into())));
        }
        assert_eq!(RoomWord::read("@bob"), Ok(RoomWord::With("bob".into())));
        for nothing in ["", " ", "#", "@", "@alice,bob", "@alice @bob"] {
            let refused = RoomWord::read(nothing).expect_err("names nothing");
            assert_eq!(refused.exit_code, 2, "{nothing:?}");
        }
    }
}
