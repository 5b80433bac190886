//! The sealed texts: whether each opens with the key, and lies where it was put.

use std::path::Path;

use super::{Report, people};
use crate::{
    chat::{epoch, texts},
    crypto::{
        binding::{Place, Purpose},
        vault::{Bound, Vault},
    },
    db::{
        AnyConnection, QueryError, drafts,
        log::edits,
        messages::{self, Cursor},
        rooms::{self, Room},
        scheduled,
        text::StoredText,
        users,
    },
    ops::backup::Progress,
};

/// Texts that are read at once.
const PAGE: i64 = 200;

/// How many of a kind do not open, and the first of them.
#[derive(Default)]
struct Unreadable {
    count: u64,
    first: String,
}

impl Unreadable {
    fn note(&mut self, named: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = named();
        }
        self.count += 1;
    }
}

/// What does not open.
#[derive(Default)]
struct Found {
    messages: Unreadable,
    versions: Unreadable,
    topics: Unreadable,
    emails: Unreadable,
    drafts: Unreadable,
    scheduled: Unreadable,
    people: Unreadable,
}

/// Opens every text, and names what does not open.
pub fn check(conn: &mut AnyConnection, vault: &Vault, data_dir: &Path, report: &mut Report) {
    let opened = epoch::list_believed(conn, data_dir).and_then(|believed| {
        vault.believe(believed);
        try_open(conn, vault)
    });
    let found = match opened {
        Ok(found) => found,
        Err(error) => {
            return report.problem(format!("The sealed texts cannot be read ({error})."));
        }
    };
    for (what, Unreadable { count, first }, shown) in [
        ("messages", &found.messages, "They are shown as unreadable"),
        (
            "earlier versions of messages",
            &found.versions,
            "They are shown as unreadable",
        ),
        ("topics", &found.topics, "Those rooms are shown without one"),
        ("e-mail addresses", &found.emails, "They cannot be used"),
        ("drafts", &found.drafts, "They are shown as empty"),
        (
            "texts that are to be said later",
            &found.scheduled,
            "They cannot be sent",
        ),
        (
            "texts that people say of themselves",
            &found.people,
            "They are not shown",
        ),
    ] {
        if *count > 0 {
            report.problem(format!(
                "{count} of the {what} cannot be opened, the first is {first}: they were changed or damaged in the database. {shown}; an older backup may still have them."
            ));
        }
    }
    let Found {
        messages,
        versions,
        topics,
        emails,
        drafts,
        scheduled,
        people,
    } = found;
    let all = [
        &messages, &versions, &topics, &emails, &drafts, &scheduled, &people,
    ];
    if all.iter().all(|kind| kind.count == 0) {
        report.ok("Every message opens with ENCRYPTION_KEY, and so does every earlier version, topic, e-mail address, draft, scheduled text and what people say of themselves.");
    }
}

fn try_open(conn: &mut AnyConnection, vault: &Vault) -> Result<Found, QueryError> {
    let total = rooms::count_changes(conn)?;
    let mut progress = Progress::new("Opening the texts", total);
    let mut found = Found::default();
    let mut last = i64::MIN;
    loop {
        let page = rooms::list_sealed(conn, last, PAGE)?;
        let Some((end, _)) = page.last() else { break };
        last = end.id;
        for (room, topic) in page {
            let place = Place::of_topic(room.id);
            if topic.is_some_and(|topic| vault.open_at(place, topic.as_str()).is_err()) {
                found.topics.note(|| format!("that of room {}", room.key));
            }
            open_messages(conn, vault, &room, &mut found.messages, &mut progress)?;
            open_versions(conn, vault, &room, &mut found.versions)?;
        }
    }
    open_emails(conn, vault, &mut found.emails)?;
    open_drafts(conn, vault, &mut found.drafts)?;
    open_scheduled(conn, vault, &mut found.scheduled)?;
    (found.people.count, found.people.first) = people::try_open(conn, vault)?;
    Ok(found)
}

fn open_messages(
    conn: &mut AnyConnection,
    vault: &Vault,
    room: &Room,
    found: &mut Unreadable,
    progress: &mut Progress,
) -> Result<(), QueryError> {
    let mut last = i64::MIN;
    loop {
        let page = messages::list(conn, room.id, Cursor::After(last), PAGE)?;
        let Some(end) = page.last() else {
            return Ok(());
        };
        last = end.id;
        progress.add(page.len() as u64);
        for message in page {
            if texts::open(vault, room.id, &message).is_err() {
                found.note(|| format!("message {} of room {}", message.id, room.key));
            }
        }
    }
}

fn open_versions(
    conn: &mut AnyConnection,
    vault: &Vault,
    room: &Room,
    found: &mut Unreadable,
) -> Result<(), QueryError> {
    let mut last = (i64::MIN, i64::MIN);
    loop {
        let page = edits::list_versions_of_room(conn, room.id, last, PAGE)?;
        let Some(end) = page.last() else {
            return Ok(());
        };
        last = (end.message_id, end.version.seq);
        for row in page {
            let place = Place {
                room_id: room.id,
                id: row.message_id,
                author: row.author,
                purpose: Purpose::of_kind(&row.kind),
            };
            let bound = Bound {
                place,
                sealed: &row.version.content,
                mac: row.version.mac.as_ref().map(StoredText::as_str),
            };
            if vault.open_bound(bound).is_err() {
                found.note(|| {
                    let (id, seq) = (row.message_id, row.version.seq);
                    format!(
                        "what message {id} of room {} said before change {seq}",
                        room.key
                    )
                });
            }
        }
    }
}

fn open_emails(
    conn: &mut AnyConnection,
    vault: &Vault,
    found: &mut Unreadable,
) -> Result<(), QueryError> {
    let mut last = i64::MIN;
    loop {
        let page = users::emails::list_with_email(conn, last, PAGE)?;
        let Some((end, ..)) = page.last() else {
            return Ok(());
        };
        last = *end;
        for (id, name, email) in page {
            if vault.open_at(Place::of_email(id), email.as_str()).is_err() {
                found.note(|| format!("that of {}", name.as_str()));
            }
        }
    }
}

fn open_drafts(
    conn: &mut AnyConnection,
    vault: &Vault,
    found: &mut Unreadable,
) -> Result<(), QueryError> {
    let mut last = (i64::MIN, i64::MIN, i64::MIN);
    loop {
        let page = drafts::list_sealed(conn, last, PAGE)?;
        let Some(end) = page.last() else {
            return Ok(());
        };
        last = (end.user_id, end.room_id, end.thread);
        for row in page {
            let place = Place::of_draft(row.user_id, row.room_id, row.thread);
            if vault.open_at(place, row.content.as_str()).is_err() {
                found.note(|| format!("that of user {} in room {}", row.user_id, row.room_id));
            }
        }
    }
}

fn open_scheduled(
    conn: &mut AnyConnection,
    vault: &Vault,
    found: &mut Unreadable,
) -> Result<(), QueryError> {
    let mut last = i64::MIN;
    loop {
        let page = scheduled::list_sealed(conn, last, PAGE)?;
        let Some(end) = page.last() else {
            return Ok(());
        };
        last = end.id;
        for row in page {
            let place = Place::of_scheduled(row.user_id, row.room_id, row.id);
            if vault.open_at(place, row.content.as_str()).is_err() {
                found.note(|| format!("{} of user {}", row.id, row.user_id));
            }
        }
    }
}
