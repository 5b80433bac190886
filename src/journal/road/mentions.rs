//! Who is mentioned in new and edited texts: names are resolved among the members of the room, and all are addressed only by
//! whoever may.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    db::{
        AnyConnection, QueryError, members,
        mentions::{self, ALL, Candidate, Counted},
    },
    protocol::mention::Mention,
};

/// Most mentions in a text.
const MOST: usize = 100;
/// In a room of so many, everyone may address all.
const FEW: u64 = 20;

/// Who is called what in the rooms where something is written.
#[derive(Default)]
pub struct Called {
    users: HashMap<(i64, String), i64>,
    /// The rooms of few.
    small: BTreeSet<i64>,
}

impl Called {
    /// Looks up whom these places in texts may mean, each with its room; as a rule there are none. The rooms must be locked.
    ///
    /// # Errors
    /// When the database fails.
    pub fn learn<'a>(
        conn: &mut AnyConnection,
        texts: impl Iterator<Item = (i64, &'a [Candidate])>,
    ) -> Result<Self, QueryError> {
        let mut wanted = BTreeMap::<i64, BTreeSet<&str>>::new();
        for (room_id, candidates) in texts.filter(|(_, candidates)| !candidates.is_empty()) {
            let names = candidates.iter().flat_map(|one| names_in(&one.word));
            wanted.entry(room_id).or_default().extend(names);
        }
        let mut called = Self::default();
        for (room_id, names) in wanted {
            let addresses_all = names.iter().any(|name| is_all(name));
            if addresses_all && members::count_up_to(conn, room_id, FEW + 1)? <= FEW {
                called.small.insert(room_id);
            }
            let names = names.into_iter().map(str::to_owned).collect();
            let found = mentions::list_called(conn, room_id, names)?.into_iter();
            let found = found.map(|(id, name)| ((room_id, name), id));
            called.users.extend(found);
        }
        Ok(called)
    }

    /// The mentions in a text. `may_all`: its author may address all, however many.
    pub fn resolve(&self, room_id: i64, candidates: &[Candidate], may_all: bool) -> Vec<Mention> {
        let may_all = may_all || self.small.contains(&room_id);
        let mention = |one: &Candidate| {
            let mut names = names_in(&one.word);
            names.find_map(|name| {
                let to = one.from + 1 + u32::try_from(name.len()).ok()?;
                let place = Mention {
                    from: one.from,
                    to,
                    ..Mention::default()
                };
                match name {
                    "room" if may_all => Some(Mention {
                        room: true,
                        ..place
                    }),
                    "here" if may_all => Some(Mention {
                        here: true,
                        ..place
                    }),
                    "room" | "here" => None,
                    name => {
                        let user_id = self.users.get(&(room_id, name.to_owned())).copied();
                        user_id.map(|_| Mention { user_id, ..place })
                    }
                }
            })
        };
        candidates.iter().filter_map(mention).take(MOST).collect()
    }
}

/// The rows that count the mentions of a message: one for each who is mentioned, but not its author.
pub fn counted(
    (room_id, message_id): (i64, i64),
    thread: Option<i64>,
    author: i64,
    mentions: &[Mention],
) -> Vec<Counted> {
    let mut users: BTreeSet<i64> = users_in(mentions).filter(|user| *user != author).collect();
    if mentions.iter().any(|one| one.room) {
        users.insert(ALL);
    }
    let rows = users.into_iter().map(|user_id| Counted {
        room_id,
        user_id,
        message_id,
        thread,
    });
    rows.collect()
}

/// The users who are mentioned by their names.
pub fn users_in(mentions: &[Mention]) -> impl Iterator<Item = i64> {
    mentions.iter().filter_map(|one| one.user_id)
}

fn is_all(name: &str) -> bool {
    name == "room" || name == "here"
}

/// What a word may say: itself, or itself without what perhaps marks it up behind it (`_@alice_`), the longest first.
fn names_in(word: &str) -> impl Iterator<Item = &str> {
    let bare = word.trim_end_matches(['_', '-']).len();
    (bare..=word.len())
        .rev()
        .map(|end| &word[..end])
        .filter(|name| !name.is_empty())
}
