//! What the tables hold: whether it belongs together, and whether this program may use it.

use std::path::Path;

use super::Report;
use crate::{
    chat::{epoch, texts},
    config::DatabaseUrl,
    crypto::{password::MAX_COST, vault::Vault},
    db::{
        AnyConnection, QueryError,
        messages::{self, Cursor},
        requirements::{self, Count},
        rooms, row_checks,
    },
    ops::backup::Progress,
};

/// Messages that are read at once.
const PAGE: i64 = 200;

/// Checks tables that are up to date.
pub fn check(conn: &mut AnyConnection, url: &DatabaseUrl, report: &mut Report) {
    match try_check(conn, report) {
        Ok(()) => {}
        Err(error) => report.problem(format!("The tables of {url} cannot be read ({error}).")),
    }
}

fn try_check(
    conn: &mut AnyConnection,
    report: &mut Report,
) -> Result<(), Box<dyn std::error::Error>> {
    let rights = requirements::list_missing_rights(conn)?;
    if rights.is_empty() {
        for (name, statement) in requirements::list_missing_indexes(conn)? {
            report.problem(format!(
                "The index {name} is missing or not valid, so that a message could be stored twice: stop Parlour, and run {statement}."
            ));
        }
    } else {
        report.problem(format!(
            "The user of DATABASE_URL lacks rights ({}): GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO it.",
            rights.join(", ")
        ));
        if rights.iter().any(|right| right.starts_with("SELECT")) {
            return Ok(());
        }
    }
    for fault in row_checks::find_faults(conn, MAX_COST)? {
        report.problem(format!(
            "{fault}: they were changed by hand, or the database is damaged. Restore a backup, or put them right with the server stopped."
        ));
    }
    let before = report.count_problems();
    for room in requirements::count_rooms(conn)? {
        check_room(&room, report);
    }
    if report.count_problems() == before {
        report.ok("Every room holds the messages that it has counted.");
    }
    Ok(())
}

/// Opens every text, and names what does not open.
pub fn check_texts(conn: &mut AnyConnection, vault: &Vault, data_dir: &Path, report: &mut Report) {
    let opened = epoch::list_believed(conn, data_dir).and_then(|believed| {
        vault.believe(believed);
        try_open(conn, vault)
    });
    match opened {
        Ok((0, _)) => report.ok("Every message opens with ENCRYPTION_KEY."),
        Ok((count, first)) => report.problem(format!(
            "{count} of the messages cannot be opened, the first is {first}: they were changed or damaged in the database. They are shown as unreadable; an older backup may still have them."
        )),
        Err(error) => report.problem(format!("The messages cannot be read ({error}).")),
    }
}

/// How many messages do not open, and the first of them.
fn try_open(conn: &mut AnyConnection, vault: &Vault) -> Result<(u64, String), QueryError> {
    let rooms = rooms::list_all(conn)?;
    let total = rooms.iter().fold(0_u64, |total, room| {
        total.saturating_add(room.last_seq.unsigned_abs())
    });
    let mut progress = Progress::new("Opening the messages", total);
    let (mut count, mut first) = (0, String::new());
    for room in rooms {
        let mut last = i64::MIN;
        loop {
            let page = messages::list(conn, room.id, Cursor::After(last), PAGE)?;
            let Some(end) = page.last() else { break };
            last = end.id;
            progress.add(page.len() as u64);
            for message in page {
                if texts::open(vault, room.id, &message).is_err() {
                    if count == 0 {
                        first = format!("message {} of room {}", message.id, room.key);
                    }
                    count += 1;
                }
            }
        }
    }
    Ok((count, first))
}

/// What a room counts, beside what it holds.
fn check_room(room: &Count, report: &mut Report) {
    let Count {
        name,
        last_seq,
        greatest,
        lost,
        messages,
        timeless,
    } = room;
    if greatest > last_seq {
        report.problem(format!(
            "Room {name} has counted {last_seq} changes and holds number {greatest}: rooms.last_seq was changed by hand. The next start, or the next message, puts it right."
        ));
    }
    if *lost > 0 {
        report.problem(format!(
            "Room {name} has lost {lost} of its {} messages: rows were deleted by hand, or the database is damaged. They are shown as unreadable; restore a backup to have them again.",
            messages + lost
        ));
    }
    if *timeless > 0 {
        report.problem(format!(
            "Room {name} holds {timeless} messages with a time that no clock shows (created_at): they are shown as of 1970. Put a time there."
        ));
    }
}
