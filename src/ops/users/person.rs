//! All that is stored about a person, one thing a line, so that nothing has to fit into memory.

use std::io;

use serde_json::{Value, json};

use super::{
    Done,
    database::{Accounts, Failure},
    show::say,
    traces,
};
use crate::{
    chat::texts,
    crypto::{
        binding::{Place, Purpose},
        vault::{Bound, CannotOpen, Vault},
    },
    db::{
        log::edits,
        messages::{self, Message},
        rooms, sessions,
        text::StoredText,
        users::{
            self, User, changes,
            people::{PersonRow, StatusRow},
        },
        utc,
    },
    printing,
    protocol::time::format,
};

/// Messages that are read at once.
const PAGE: i64 = 200;

/// Prints it all; with `json` as one object a line.
pub(super) fn show(
    accounts: &mut Accounts,
    user: &User,
    vault: Option<&Vault>,
    json: bool,
) -> Done {
    if let Some(vault) = vault {
        vault.believe(accounts.list_believed()?);
    }
    for line in about(accounts, user, vault)? {
        if let Err(error) = print(&line, json) {
            return Ok(Err(error));
        }
    }
    for room in accounts.read(rooms::list_all)? {
        let mut last = i64::MIN;
        loop {
            let page = accounts
                .read(|conn| messages::list_of_author(conn, room.id, user.id, last, PAGE))?;
            let Some(end) = page.last() else { break };
            last = end.id;
            for message in &page {
                if let Err(error) = print(&line_of(message, room.id, &room.key, vault), json) {
                    return Ok(Err(error));
                }
                if message.edited_at.is_some()
                    && let Err(error) = show_versions(accounts, (message, &room), vault, json)?
                {
                    return Ok(Err(error));
                }
            }
        }
    }
    Ok(Ok(()))
}

/// All but the messages.
fn about(
    accounts: &mut Accounts,
    user: &User,
    vault: Option<&Vault>,
) -> Result<Vec<Value>, Failure> {
    let stored = accounts.read(|conn| changes::find_stored(conn, user.id))?;
    let logins = accounts.read(|conn| sessions::list_of_user(conn, user.id))?;
    let mut lines = vec![json!({
        "kind": "account",
        "id": user.id,
        "username": user.username,
        "email": stored.email.map(|sealed| open(vault, user.id, &sealed)),
        "created_at": format(&utc(user.created_at)),
        "disabled_at": user.disabled_at.map(|at| format(&utc(at))),
        "password": "kept as a bcrypt hash",
    })];
    lines.extend(stored.person.and_then(|person| profile(vault, &person)));
    lines.extend(stored.status.map(|chosen| status(vault, &chosen)));
    lines.extend(logins.iter().map(|(id, created_at, expires_at)| {
        json!({
            "kind": "login",
            "id": id,
            "created_at": format(&utc(*created_at)),
            "expires_at": format(&utc(*expires_at)),
        })
    }));
    lines.extend(stored.networks.iter().map(|at| {
        json!({
            "kind": "known network",
            "address": "kept as a keyed hash",
            "seen_at": format(&utc(*at)),
        })
    }));
    lines.extend(stored.changes.iter().map(|(act, actor, at)| {
        json!({"kind": "change", "act": act, "actor": actor, "created_at": format(&utc(*at))})
    }));
    let traces = accounts.read(|conn| users::traces::find(conn, user.id))?;
    lines.extend(traces::lines(&traces, user.id, vault));
    Ok(lines)
}

/// What a message said before each of its edits.
fn show_versions(
    accounts: &mut Accounts,
    (message, room): (&Message, &rooms::Room),
    vault: Option<&Vault>,
    json: bool,
) -> Done {
    let place = Place {
        room_id: room.id,
        id: message.id,
        author: message.user_id,
        purpose: Purpose::of_kind(&message.kind),
    };
    let mut last = 0;
    loop {
        let page =
            accounts.read(|conn| edits::list_versions(conn, (room.id, message.id), last, PAGE))?;
        let Some(end) = page.last().filter(|end| end.seq > last) else {
            return Ok(Ok(()));
        };
        last = end.seq;
        for version in &page {
            let open = |vault: &Vault| {
                vault.open_bound(Bound {
                    place,
                    sealed: &version.content,
                    mac: version.mac.as_ref().map(StoredText::as_str),
                })
            };
            let line = json!({
                "kind": "earlier version",
                "room": room.key,
                "id": message.id,
                "created_at": format(&utc(version.created_at.get())),
                "content": shown(vault.map(open)),
            });
            if let Err(error) = print(&line, json) {
                return Ok(Err(error));
            }
        }
    }
}

fn line_of(message: &Message, room_id: i64, room: &str, vault: Option<&Vault>) -> Value {
    let opened = vault.map(|vault| texts::open(vault, room_id, message));
    // What nobody wrote is kept for programs; here people read it.
    let said = opened.map(|opened| {
        opened.map(|text| match texts::read_event(message, &text) {
            Some(event) => event.text,
            None => text,
        })
    });
    json!({
        "kind": "message",
        "room": room,
        "id": message.id,
        "created_at": format(&utc(message.created_at.get())),
        "client_id": message.client_id,
        "reply_to": message.reply_to,
        "thread": message.thread,
        "also_to_room": message.thread.map(|_| !message.thread_only),
        "edited_at": message.edited_at.map(|at| format(&utc(at.get()))),
        "deleted_at": message.deleted_at.map(|at| format(&utc(at.get()))),
        "content": shown(said),
    })
}

/// What they say of themselves and set for themselves; `None` when that is nothing.
fn profile(vault: Option<&Vault>, person: &PersonRow) -> Option<Value> {
    let PersonRow {
        id,
        display_name,
        bio,
        pronouns,
        time_zone,
        receipts,
        quiet_hours,
        ..
    } = person;
    let says_nothing =
        display_name.is_none() && bio.is_none() && pronouns.is_none() && time_zone.is_none();
    let says_nothing = says_nothing && *receipts && quiet_hours.is_none();
    (!says_nothing).then(|| {
        json!({
            "kind": "profile",
            "display_name": display_name.as_ref().map(StoredText::as_str),
            "bio": sealed(vault, *id, bio.as_ref(), Purpose::Bio),
            "pronouns": sealed(vault, *id, pronouns.as_ref(), Purpose::Pronouns),
            "time_zone": time_zone.as_ref().map(StoredText::as_str),
            "receipts": receipts,
            "quiet_hours": quiet_hours.as_ref().map(StoredText::as_str),
        })
    })
}

/// What they have chosen to be.
fn status(vault: Option<&Vault>, chosen: &StatusRow) -> Value {
    json!({
        "kind": "status",
        "state": chosen.state.as_ref().map(StoredText::as_str),
        "text": sealed(vault, chosen.user_id, chosen.text.as_ref(), Purpose::StatusText),
        "emoji": sealed(vault, chosen.user_id, chosen.emoji.as_ref(), Purpose::StatusEmoji),
        "until": chosen.until.map(|at| format(&utc(at.get()))),
        "then_state": chosen.then.as_ref().map(StoredText::as_str),
    })
}

fn sealed(
    vault: Option<&Vault>,
    user_id: i64,
    text: Option<&StoredText>,
    purpose: Purpose,
) -> Option<Value> {
    let place = Place::of_user(user_id, purpose);
    text.map(|text| shown(vault.map(|vault| vault.open_at(place, text.as_str()))))
}

fn open(vault: Option<&Vault>, user_id: i64, email: &str) -> Value {
    shown(vault.map(|vault| vault.open_at(Place::of_email(user_id), email)))
}

/// What cannot be opened is shown as such, never left out.
pub(super) fn shown(opened: Option<Result<String, CannotOpen>>) -> Value {
    match opened {
        Some(Ok(text)) => text.into(),
        _ => json!({"unreadable": true}),
    }
}

fn print(line: &Value, json: bool) -> io::Result<()> {
    if json {
        return printing::line(line);
    }
    let kind = line["kind"].as_str().unwrap_or_default();
    let fields = line.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, value)| *name != "kind" && !value.is_null());
    // As JSON, so that no text of a person speaks to the terminal or looks like another line.
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{name} {}", plain(value)))
        .collect();
    say(&format!("{kind}: {}", fields.join(", ")))
}

fn plain(value: &Value) -> String {
    let text = value.to_string();
    text.chars()
        .map(|c| {
            if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) {
                c.escape_unicode().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}
