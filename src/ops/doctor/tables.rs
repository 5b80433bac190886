//! What the tables hold: whether it belongs together, and whether this program may use it.

use super::Report;
use crate::{
    chat::emoji,
    config::DatabaseUrl,
    crypto::{name_of_set, password::MAX_COST},
    db::{
        AnyConnection, QueryError, privileges,
        relations::{self, DirectRoom},
        requirements::{self, Count, MissingIndex},
        rooms, row_checks,
        text::StoredText,
        threads::{self, counts::Miscounted},
    },
    ops::backup::Progress,
};

/// Threads with a wrong count that are told one by one.
const MOST_THREADS: usize = 10;
/// There are fewer emoji than this, so more different ones are not looked at.
const MOST_EMOJI: i64 = 10_000;

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
    relations::take_time(conn)?;
    let rights = privileges::list_missing_rights(conn)?;
    if rights.is_empty() {
        for MissingIndex {
            name,
            statement,
            danger,
        } in requirements::list_missing_indexes(conn)?
        {
            report.problem(format!(
                "The index {name} is missing or not valid, so that {danger}: stop Parlour, and run {statement}."
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
    if let Some(tables) = privileges::list_tables_of_others(conn)? {
        report.warning(format!(
            "A new release of Parlour could not bring the tables up to date: {tables}."
        ));
    }
    for fault in row_checks::find_faults(conn, MAX_COST)? {
        report.problem(by_hand(&fault));
    }
    check_relations(conn, report)?;
    let before = report.count_problems();
    for room in requirements::count_rooms(conn)? {
        check_room(&room, report);
    }
    for room in rooms::list_miscounted(conn)? {
        report.problem(format!(
            "Room {} has counted {} members and has {}: memberships or rooms.members were changed by hand. The next start puts it right.",
            room.key, room.counted, room.found
        ));
    }
    check_threads(&threads::counts::list_miscounted(conn)?, report);
    if report.count_problems() == before {
        report.ok("Every room holds the messages and has the members that it has counted, and every thread its replies.");
    }
    Ok(())
}

/// Looks through all rows for what does not belong together.
fn check_relations(conn: &mut AnyConnection, report: &mut Report) -> Result<(), QueryError> {
    let mut faults = Vec::new();
    let mut progress = Progress::new(
        "Looking whether the rows belong together",
        relations::checks().len() as u64 + 3,
    );
    for check in relations::checks() {
        let count = check.count(conn)?;
        if count > 0 {
            faults.push(format!("{count} {}", check.what));
        }
        progress.add(1);
    }
    let names = relations::count_names(conn)?;
    for (count, what) in [
        (
            names.users_unfound,
            "users are not found by their names (username_key)",
        ),
        (
            names.rooms_unfound,
            "rooms hold another name for themselves than their own (name_key)",
        ),
    ] {
        if count > 0 {
            faults.push(format!("{count} {what}"));
        }
    }
    progress.add(1);
    let strange = count_strange_rooms(conn)?;
    if strange > 0 {
        faults.push(format!(
            "{strange} direct rooms have other members than those that they are for (people)"
        ));
    }
    progress.add(1);
    let emoji = relations::list_emoji(conn, MOST_EMOJI)?;
    let is_none = |text: &&StoredText| emoji::normalize(text.as_str()) != Ok(text.as_str());
    let count = emoji.iter().filter(is_none).count();
    if count > 0 {
        faults.push(format!(
            "{count} of the things that people reacted with are no emoji (reactions.emoji)"
        ));
    }
    drop(progress);
    let ownerless = relations::count_without_owner(conn)?;
    if ownerless > 0 {
        report.warning(format!(
            "{ownerless} rooms have no owner who can log in, though a member could be it: the next start of the server gives each one."
        ));
    }
    if faults.is_empty() {
        report.ok("All rows belong together.");
    }
    for fault in faults {
        report.problem(by_hand(&fault));
    }
    Ok(())
}

fn by_hand(fault: &str) -> String {
    format!(
        "{fault}: they were changed by hand, or the database is damaged. Restore a backup, or put them right with the server stopped."
    )
}

/// How many direct rooms have other members than those that they were made for.
fn count_strange_rooms(conn: &mut AnyConnection) -> Result<u64, QueryError> {
    let (mut count, mut last) = (0, i64::MIN);
    loop {
        let page = relations::list_direct(conn, last)?;
        let Some(end) = page.last() else { break };
        last = end.id;
        let is_strange = |room: &&DirectRoom| {
            name_of_set(&room.members.iter().copied().collect()) != room.people
        };
        count += page.iter().filter(is_strange).count() as u64;
    }
    Ok(count)
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

/// What threads count, beside what they hold.
fn check_threads(miscounted: &[Miscounted], report: &mut Report) {
    const WHY: &str =
        "messages, threads or thread_people were changed by hand. The next start puts it right.";
    for thread in miscounted.iter().take(MOST_THREADS) {
        let Miscounted {
            key,
            thread,
            counted,
            counted_last,
            found,
            found_last,
            ..
        } = thread;
        let key = key.as_deref().unwrap_or("that is not there");
        if (counted, counted_last) == (found, found_last) {
            report.problem(format!(
                "Thread {thread} of room {key} has counted the replies of each person in it, and they are others, or it tells of a change that has not come: {WHY}"
            ));
        } else {
            report.problem(format!(
                "Thread {thread} of room {key} has counted {counted} replies, the last of them {counted_last}, and has {found}, the last of them {found_last}: {WHY}"
            ));
        }
    }
    let more = miscounted.len().saturating_sub(MOST_THREADS);
    if more > 0 {
        report.problem(format!("{more} other threads have counted wrong: {WHY}"));
    }
}
