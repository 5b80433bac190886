//! Whether rows belong together: what a row of one table says of another, and what one column says of the next. Whoever
//! edits a database by hand can put anything there, and most columns have no constraint that would refuse it.

use diesel::{connection::SimpleConnection as _, prelude::*, sql_query, sql_types::BigInt};

use super::AnyConnection;

mod paged;

pub use paged::{DirectRoom, Names, count_names, list_direct, list_emoji};

/// What is looked for, and how it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The end of a sentence that begins with how many there are.
    pub what: String,
    /// Tells how many there are as `count`.
    query: String,
}

/// Columns that name a user. (0 in `mentions` is everyone in the room; elsewhere no number is below 1, which others look at.)
pub const USERS: &[(&str, &str)] = &[
    ("sessions", "user_id"),
    ("rooms", "created_by"),
    ("memberships", "user_id"),
    ("memberships", "invited_by"),
    ("removals", "user_id"),
    ("restraints", "user_id"),
    ("messages", "user_id"),
    ("messages", "pinned_by"),
    ("reactions", "user_id"),
    ("thread_people", "user_id"),
    ("mentions", "user_id"),
    ("drafts", "user_id"),
    ("scheduled", "user_id"),
    ("saved", "user_id"),
    ("user_words", "user_id"),
    ("known_networks", "user_id"),
    ("account_changes", "user_id"),
];
/// Columns that name a room.
pub const ROOMS: &[(&str, &str)] = &[
    ("memberships", "room_id"),
    ("removals", "room_id"),
    ("restraints", "room_id"),
    ("messages", "room_id"),
    ("message_versions", "room_id"),
    ("reactions", "room_id"),
    ("threads", "room_id"),
    ("thread_people", "room_id"),
    ("mentions", "room_id"),
    ("drafts", "room_id"),
    ("scheduled", "room_id"),
    ("saved", "room_id"),
];
/// Columns that name a message of the row's room.
pub const MESSAGES: &[(&str, &str)] = &[
    ("messages", "reply_to"),
    ("message_versions", "message_id"),
    ("reactions", "message_id"),
    ("messages", "thread"),
    ("threads", "id"),
    ("thread_people", "thread"),
    ("mentions", "message_id"),
    ("scheduled", "thread"),
    ("scheduled", "reply_to"),
    ("saved", "message_id"),
];
/// Columns that hold one of a few words.
const WORDS: &[(&str, &str, &[&str])] = &[
    ("rooms", "kind", &["public", "private", "direct"]),
    ("memberships", "role", &["member", "moderator", "owner"]),
    ("memberships", "notify", &["all", "mentions", "nothing"]),
    ("messages", "kind", &["text", "system"]),
    ("users", "status_state", &["away", "dnd", "invisible"]),
    ("users", "status_then", &["away", "dnd", "invisible"]),
    ("scheduled", "kind", &["message", "reminder"]),
    (
        "account_changes",
        "act",
        &[
            "added",
            "password",
            "disabled",
            "enabled",
            "deleted",
            "signed-out",
        ],
    ),
    ("account_changes", "actor", &["operator", "self"]),
];
/// Columns that hold a time. (Those of the messages' own times are counted room by room.)
pub const TIMES: &[(&str, &[&str])] = &[
    (
        "users",
        &["created_at", "disabled_at", "deleted_at", "status_until"],
    ),
    (
        "sessions",
        &["created_at", "expires_at", "previous_expires_at"],
    ),
    ("rooms", &["created_at", "archived_at"]),
    ("memberships", &["created_at", "muted_until", "spoke_at"]),
    ("removals", &["created_at"]),
    ("restraints", &["muted_until", "spoke_at"]),
    ("messages", &["edited_at", "deleted_at", "pinned_at"]),
    ("message_versions", &["created_at"]),
    ("reactions", &["created_at"]),
    ("threads", &["last_at"]),
    ("drafts", &["updated_at"]),
    ("scheduled", &["send_at", "created_at", "try_at"]),
    ("saved", &["created_at"]),
    ("known_networks", &["seen_at"]),
    ("account_changes", &["created_at"]),
];
/// What a row must be beside, or not: the end of a sentence, the table, and what is wrong.
const RULES: &[(&str, &str, &str)] = &[
    (
        "deleted accounts still have a name, a password or an e-mail address",
        "users",
        "deleted_at IS NOT NULL AND (email IS NOT NULL OR password_hash <> '' OR username_key NOT LIKE 'deleted:%' \
         OR username <> 'deleted-user-' || CAST(id AS TEXT))",
    ),
    (
        "deleted accounts still have logins, known networks, mutes, or rooms that are no direct ones",
        "users",
        "deleted_at IS NOT NULL AND (EXISTS (SELECT 1 FROM sessions WHERE sessions.user_id = users.id) \
         OR EXISTS (SELECT 1 FROM known_networks WHERE known_networks.user_id = users.id) \
         OR EXISTS (SELECT 1 FROM restraints WHERE restraints.user_id = users.id) \
         OR EXISTS (SELECT 1 FROM memberships JOIN rooms ON rooms.id = memberships.room_id \
                    WHERE memberships.user_id = users.id AND rooms.kind <> 'direct'))",
    ),
    (
        "deleted accounts still tell how far they had read, or follow threads",
        "users",
        "deleted_at IS NOT NULL AND (EXISTS (SELECT 1 FROM memberships WHERE memberships.user_id = users.id \
                    AND (read_seq > 0 OR shown_seq > 0 OR notify IS NOT NULL)) \
         OR EXISTS (SELECT 1 FROM thread_people WHERE thread_people.user_id = users.id AND (follows OR read_seq > 0)))",
    ),
    (
        "accounts have a password that no one can log in with (password_hash is no bcrypt hash)",
        "users",
        "deleted_at IS NULL AND (length(password_hash) <> 60 OR password_hash NOT LIKE '$2%')",
    ),
    (
        "rooms have a key that is not theirs (general for the first, the id for all others)",
        "rooms",
        "key <> CASE WHEN id = 1 THEN 'general' ELSE CAST(id AS TEXT) END",
    ),
    (
        "direct rooms have a name, or lack what stands for the people in them (people)",
        "rooms",
        "kind = 'direct' AND (name IS NOT NULL OR name_key IS NOT NULL OR people IS NULL)",
    ),
    (
        "rooms have no name, or claim to be for certain people as only direct rooms are (name, people)",
        "rooms",
        "kind <> 'direct' AND (name IS NULL OR people IS NOT NULL)",
    ),
    (
        "public rooms do not hold their name for themselves, or other rooms hold one (name_key)",
        "rooms",
        "(kind = 'public' AND name_key IS NULL) OR (kind = 'private' AND name_key IS NOT NULL)",
    ),
    (
        "rooms have a slow mode of more than a day (slow_seconds)",
        "rooms",
        "slow_seconds > 86400",
    ),
    (
        "members of direct rooms have a role, or are muted: in those all are alike",
        "memberships",
        "(role <> 'member' OR muted_until IS NOT NULL) \
         AND EXISTS (SELECT 1 FROM rooms WHERE rooms.id = room_id AND rooms.kind = 'direct')",
    ),
    (
        "members have read further than their room has come (read_seq, shown_seq)",
        "memberships",
        "EXISTS (SELECT 1 FROM rooms WHERE rooms.id = room_id AND (rooms.last_seq < read_seq OR rooms.last_seq < shown_seq))",
    ),
    (
        "owners of rooms are muted, which nobody could take back",
        "memberships",
        "role = 'owner' AND muted_until IS NOT NULL",
    ),
    (
        "removals are of people who are members again",
        "removals",
        "EXISTS (SELECT 1 FROM memberships WHERE memberships.room_id = removals.room_id AND memberships.user_id = removals.user_id)",
    ),
    (
        "mutes for people who had gone are of those who are members again (restraints)",
        "restraints",
        "EXISTS (SELECT 1 FROM memberships WHERE memberships.room_id = restraints.room_id AND memberships.user_id = restraints.user_id)",
    ),
    (
        "removals are by a change that the room has not counted (seq)",
        "removals",
        "EXISTS (SELECT 1 FROM rooms WHERE rooms.id = room_id AND rooms.last_seq < removals.seq)",
    ),
    (
        "messages were changed before they were written (seq below id)",
        "messages",
        "seq < id",
    ),
    (
        "messages come after a message that is not before them (previous)",
        "messages",
        "previous NOT BETWEEN 0 AND id - 1",
    ),
    (
        "messages answer one that is not before them (reply_to)",
        "messages",
        "reply_to NOT BETWEEN 1 AND id - 1",
    ),
    (
        "messages are pinned by no one, at no time, or though they are deleted (pinned_by, pinned_at)",
        "messages",
        "(pinned_by IS NULL) <> (pinned_at IS NULL) OR (pinned_by IS NOT NULL AND deleted_at IS NOT NULL)",
    ),
    (
        "messages were edited, and what they said before is lost (message_versions)",
        "messages",
        "edited_at IS NOT NULL AND deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM message_versions \
         WHERE message_versions.room_id = messages.room_id AND message_versions.message_id = messages.id)",
    ),
    (
        "earlier versions are of messages that were never edited, or are deleted (message_versions)",
        "message_versions",
        "EXISTS (SELECT 1 FROM messages WHERE messages.room_id = message_versions.room_id \
         AND messages.id = message_id AND (edited_at IS NULL OR deleted_at IS NOT NULL))",
    ),
    (
        "earlier versions are of a change that their message has not come to (seq)",
        "message_versions",
        "EXISTS (SELECT 1 FROM messages WHERE messages.room_id = message_versions.room_id AND messages.id = message_id \
         AND (message_versions.seq <= messages.id OR message_versions.seq > messages.seq))",
    ),
    (
        "reactions are to messages that are deleted",
        "reactions",
        "EXISTS (SELECT 1 FROM messages WHERE messages.room_id = reactions.room_id \
         AND messages.id = message_id AND deleted_at IS NOT NULL)",
    ),
    (
        "reactions are of a change that their message has not come to (seq)",
        "reactions",
        "EXISTS (SELECT 1 FROM messages WHERE messages.room_id = reactions.room_id AND messages.id = message_id \
         AND (reactions.seq <= messages.id OR reactions.seq > messages.seq))",
    ),
];

/// Counts the rows of a table that are wrong so.
fn check(what: String, table: &str, wrong: &str) -> Check {
    Check {
        what,
        query: format!("SELECT count(*) AS count FROM \"{table}\" WHERE {wrong}"),
    }
}

/// The times in a table that no clock shows. `SQLite` keeps any, and orders them as texts; `PostgreSQL` takes few.
fn times(table: &str, columns: &[&str]) -> Check {
    let wrong: Vec<String> = columns
        .iter()
        .map(|column| {
            format!("{column} NOT BETWEEN '0001-01-01 00:00:00' AND '9999-12-31 23:59:59'")
        })
        .collect();
    let columns = columns.join(", ");
    let what = format!("rows of {table} hold a time that no clock shows ({columns})");
    check(what, table, &wrong.join(" OR "))
}

/// Of [`checks`] those for times, and one for those of messages, which are counted room by room elsewhere.
pub fn time_checks() -> impl Iterator<Item = Check> {
    let messages = times("messages", &["created_at"]);
    let all = TIMES.iter().map(|(table, columns)| times(table, columns));
    all.chain([messages])
}

/// All that is counted with one query each.
#[must_use]
pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |what: String, table: &str, wrong: &str| checks.push(check(what, table, wrong));
    for (named, target, columns) in [("a user", "users", USERS), ("a room", "rooms", ROOMS)] {
        for (table, column) in columns {
            add(
                format!("rows of {table} name {named} who is not there ({column})")
                    .replace("room who", "room that"),
                table,
                &format!(
                    "{column} <> 0 AND NOT EXISTS (SELECT 1 FROM {target} AS named WHERE named.id = \"{table}\".{column})"
                ),
            );
        }
    }
    for (table, column) in MESSAGES {
        add(
            format!("rows of {table} name a message that is not there ({column})"),
            table,
            &format!(
                "{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages AS named \
                 WHERE named.room_id = \"{table}\".room_id AND named.id = \"{table}\".{column})"
            ),
        );
    }
    for (table, column, words) in WORDS {
        let words = words.join("', '");
        add(
            format!("rows of {table} hold another word than '{words}' ({column})"),
            table,
            &format!("{column} NOT IN ('{words}')"),
        );
    }
    checks.extend(TIMES.iter().map(|(table, columns)| times(table, columns)));
    let mut add = |what: String, table: &str, wrong: &str| checks.push(check(what, table, wrong));
    for (what, table, wrong) in RULES {
        add((*what).into(), table, wrong);
    }
    checks.push(Check {
        what: "room is missing that everyone is in: general (the one with the id 1)".into(),
        query: "SELECT 1 - count(*) AS count FROM rooms WHERE id = 1".into(),
    });
    checks.push(Check {
        what: "changes of accounts are missing from account_changes, whose numbers have no gap"
            .into(),
        query: "SELECT COALESCE(MAX(number), 0) - count(*) AS count FROM account_changes".into(),
    });
    checks
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn count(conn: &mut AnyConnection, query: &str) -> QueryResult<i64> {
    let found: Count = match conn {
        AnyConnection::Postgres(conn) => sql_query(query).get_result(conn)?,
        AnyConnection::Sqlite(conn) => sql_query(query).get_result(conn)?,
    };
    Ok(found.count)
}

impl Check {
    /// How many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count(&self, conn: &mut AnyConnection) -> QueryResult<i64> {
        count(conn, &self.query)
    }
}

/// How many rooms have no owner who can log in, though there is someone who could be it. The next start gives each one.
///
/// # Errors
/// When the database fails.
pub fn count_without_owner(conn: &mut AnyConnection) -> QueryResult<i64> {
    let member = |more: &str| {
        format!(
            "EXISTS (SELECT 1 FROM memberships JOIN users ON users.id = memberships.user_id \
             WHERE memberships.room_id = rooms.id AND users.deleted_at IS NULL{more})"
        )
    };
    let (owner, enabled) = (" AND role = 'owner'", " AND users.disabled_at IS NULL");
    let query = format!(
        "SELECT count(*) AS count FROM rooms WHERE kind <> 'direct' AND ({} AND NOT {} OR {} AND NOT {})",
        member(""),
        member(owner),
        member(enabled),
        member(&format!("{owner}{enabled}")),
    );
    count(conn, &query)
}

/// Lets queries on this connection take as long as a look at all rows does.
///
/// # Errors
/// When the database fails.
pub fn take_time(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(conn) => conn.batch_execute("SET statement_timeout = '10min'"),
        AnyConnection::Sqlite(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ROOMS, TIMES, USERS};

    /// The columns of `schema.rs`: table, name, and type.
    fn columns() -> Vec<(&'static str, &'static str, &'static str)> {
        let mut table = "";
        let mut found = Vec::new();
        for line in include_str!("schema.rs").lines().map(str::trim) {
            if let Some((name, kind)) = line.split_once(" -> ").filter(|_| line.ends_with(',')) {
                found.push((table, name, kind.trim_end_matches(',')));
            } else if line.ends_with(") {") {
                table = line.split(' ').next().unwrap_or_default();
            }
        }
        found
    }

    /// Those of them that are so, as the lists have them.
    fn those(is_one: impl Fn(&str, &str) -> bool) -> BTreeSet<(&'static str, &'static str)> {
        let columns = columns().into_iter();
        columns
            .filter(|(_, name, kind)| is_one(name, kind))
            .map(|(table, name, _)| (table, name))
            .collect()
    }

    /// Whoever adds a column that names someone adds it here, too; then `doctor` looks after it, and `users show` must tell it.
    #[test]
    fn every_column_that_names_a_user_or_a_room_is_looked_at() {
        let users = those(|name, kind| {
            (name == "user_id" || name.ends_with("_by")) && kind.contains("BigInt")
        });
        assert!(users.len() > 10, "the schema is not read");
        assert_eq!(USERS.iter().copied().collect::<BTreeSet<_>>(), users);
        let rooms = those(|name, _| name == "room_id");
        assert_eq!(ROOMS.iter().copied().collect::<BTreeSet<_>>(), rooms);
    }

    #[test]
    fn every_column_of_a_time_is_looked_at() {
        let mut known: BTreeSet<(&str, &str)> = TIMES
            .iter()
            .flat_map(|(table, columns)| columns.iter().map(|column| (*table, *column)))
            .collect();
        // Counted room by room.
        known.insert(("messages", "created_at"));
        assert_eq!(known, those(|_, kind| kind.contains("Timestamp")));
    }
}
