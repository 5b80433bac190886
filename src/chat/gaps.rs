//! Gaps in the numbers of a room: rows that someone has deleted by hand, or that are damaged. Each missing number is shown
//! as a message that cannot be read, so that no client takes a history with a gap for a complete one, or waits for a
//! message that will never come.
//!
//! Not every number is a message: edits, reactions and the like take numbers, too. So each message knows the one before it,
//! and a number that nothing else accounts for is looked up before it is called missing. Where all is in order, that costs
//! next to nothing.

use crate::{
    db::{
        AnyConnection, QueryError,
        messages::{
            Cursor, Message as Row, PageRequest,
            gaps::{Link, find_from, find_latest_change, find_spanning, list_links_between},
        },
        rooms::Room,
    },
    protocol::{message::Message, time::Timestamp},
};

/// How many rows are looked through for those that stand in threads alone between what a page shows.
const LOOKED_THROUGH: i64 = 1_000;

/// Numbers between two messages that may be missing: those after `after` up to `upto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Suspicion {
    after: i64,
    upto: i64,
    proof: Proof,
}

/// Which of them are missing for sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// All: they are of the time when every change was a message.
    All,
    /// The last: another message names it as the one before it.
    Last,
    None,
}

/// What stored messages say of their places.
#[must_use]
pub fn links(rows: &[Row]) -> Vec<Link> {
    let link = |row: &Row| Link {
        id: row.id,
        seq: row.seq,
        previous: row.previous,
    };
    rows.iter().map(link).collect()
}

/// The numbers of a stretch that are missing, in their order, those nearest to where the reader looks; at most as many as
/// the stretch may have messages. `is_cut`: there are more rows than these.
///
/// # Errors
/// When the database fails.
pub fn find(
    conn: &mut AnyConnection,
    room: &Room,
    stretch: PageRequest,
    rows: &[Link],
    is_cut: bool,
) -> Result<Vec<i64>, QueryError> {
    let has_more = has_more(stretch, rows, is_cut);
    let most = usize::try_from(stretch.limit).unwrap_or(0);
    if let Cursor::Since(since) = stretch.cursor {
        let end = if has_more {
            rows.last().map_or(since, |row| row.seq)
        } else {
            room.last_seq
        };
        return find_since(conn, room.id, rows, (since, end), most);
    }
    let suspicions = suspect(conn, room, stretch.cursor, rows, has_more)?;
    look_all_up(conn, room.id, suspicions, stretch)
}

/// The same where the rows are those that stand in the room itself: what stands between them in threads alone is not missing.
/// It may be any number of rows, of which the nearest ones are looked through.
///
/// # Errors
/// When the database fails.
pub fn find_beside_threads(
    conn: &mut AnyConnection,
    room: &Room,
    stretch: PageRequest,
    rows: &[Link],
    is_cut: bool,
) -> Result<Vec<i64>, QueryError> {
    let has_more = has_more(stretch, rows, is_cut);
    let suspicions = suspect(conn, room, stretch.cursor, rows, has_more)?;
    let (Some(after), Some(upto)) = (
        suspicions.iter().map(|one| one.after).min(),
        suspicions.iter().map(|one| one.upto).max(),
    ) else {
        return Ok(Vec::new());
    };
    let is_backwards = matches!(stretch.cursor, Cursor::Before(_));
    let most = (LOOKED_THROUGH, is_backwards);
    let mut links = list_links_between(conn, room.id, (after, upto), most)?;
    let is_whole = i64::try_from(links.len()).is_ok_and(|count| count < LOOKED_THROUGH);
    let is_kept = |row: &&Link| {
        let is_below = row.id <= after && (is_whole || !is_backwards);
        is_below || row.id > upto && (is_whole || is_backwards)
    };
    links.extend(rows.iter().filter(is_kept).copied());
    links.sort_unstable_by_key(|link| link.id);
    let suspicions = suspect(conn, room, stretch.cursor, &links, has_more || !is_whole)?;
    look_all_up(conn, room.id, suspicions, stretch)
}

fn has_more(stretch: PageRequest, rows: &[Link], is_cut: bool) -> bool {
    is_cut || i64::try_from(rows.len()).is_ok_and(|count| count >= stretch.limit)
}

/// What these rows, and what is around them, say of what should stand between them and at their ends: what lies nearest to
/// where the reader looks comes first.
fn suspect(
    conn: &mut AnyConnection,
    room: &Room,
    cursor: Cursor,
    rows: &[Link],
    has_more: bool,
) -> Result<Vec<Suspicion>, QueryError> {
    let mut suspicions = between(rows);
    let (first, last) = (rows.first(), rows.last());
    match cursor {
        Cursor::Before(upper) => {
            if let (Some(first), false) = (first, has_more) {
                suspicions.extend(before(first, 0));
            }
            suspicions.extend(up_to(conn, room, last.map_or(0, |row| row.id), upper)?);
            suspicions.sort_by_key(|one| std::cmp::Reverse(one.after));
        }
        Cursor::After(lower) | Cursor::Since(lower) => {
            suspicions.extend(first.and_then(|first| before(first, lower)));
            if !has_more {
                let last = last.map_or(lower, |row| row.id);
                suspicions.extend(up_to(conn, room, last, i64::MAX)?);
            }
            suspicions.sort_by_key(|one| one.after);
        }
    }
    Ok(suspicions)
}

/// The numbers of these that are missing, the nearest ones, in their order.
fn look_all_up(
    conn: &mut AnyConnection,
    room_id: i64,
    suspicions: Vec<Suspicion>,
    stretch: PageRequest,
) -> Result<Vec<i64>, QueryError> {
    let most = usize::try_from(stretch.limit).unwrap_or(0);
    let mut missing = Vec::new();
    for suspicion in suspicions {
        look_up(conn, room_id, suspicion, stretch, &mut missing)?;
        if missing.len() >= most {
            break;
        }
    }
    missing.sort_unstable();
    Ok(missing)
}

/// What the messages say of what should stand between them.
fn between(rows: &[Link]) -> Vec<Suspicion> {
    let pairs = rows.windows(2);
    pairs
        .filter_map(|pair| match pair {
            [one, next] => before(next, one.id),
            _ => None,
        })
        .collect()
}

/// What a message says of what should stand between it and `after`.
fn before(row: &Link, after: i64) -> Option<Suspicion> {
    linked(after, row.id, row.previous, row.id)
}

/// What a link says: the message `id` comes after `previous`. Only what is below `upper` is asked for.
fn linked(after: i64, id: i64, previous: Option<i64>, upper: i64) -> Option<Suspicion> {
    let (upto, proof) = match previous {
        None => (id - 1, Proof::All),
        Some(previous) if previous < upper => (previous, Proof::Last),
        Some(_) => (upper - 1, Proof::None),
    };
    let upto = upto.min(upper.saturating_sub(1));
    (upto > after).then_some(Suspicion { after, upto, proof })
}

/// What should stand between the last message that was found and the number below which they were asked for.
fn up_to(
    conn: &mut AnyConnection,
    room: &Room,
    last: i64,
    upper: i64,
) -> Result<Option<Suspicion>, QueryError> {
    if upper.saturating_sub(1) == last || room.last_message_id.min(room.last_seq) <= last {
        return Ok(None);
    }
    let newest = room.last_message_id.min(room.last_seq);
    if upper > newest {
        let previous = Some(newest);
        return Ok(linked(last, i64::MAX, previous, i64::MAX));
    }
    Ok(match find_from(conn, room.id, upper)? {
        Some((id, previous)) => linked(last, id, previous, upper),
        None => linked(last, upper, Some(upper), upper),
    })
}

/// Adds those of the suspicious numbers that are missing, the nearest ones.
fn look_up(
    conn: &mut AnyConnection,
    room_id: i64,
    suspicion: Suspicion,
    stretch: PageRequest,
    missing: &mut Vec<i64>,
) -> Result<(), QueryError> {
    let Suspicion { after, upto, proof } = suspicion;
    // The changes of the messages before it account for the numbers up to the latest of them.
    let from = match proof {
        Proof::Last if upto == after.saturating_add(1) => upto,
        Proof::All => after.saturating_add(1),
        Proof::Last | Proof::None => find_latest_change(conn, room_id, after)?
            .max(after)
            .saturating_add(1),
    };
    let from = if proof == Proof::Last {
        from.min(upto)
    } else {
        from
    };
    let most = usize::try_from(stretch.limit).unwrap_or(0);
    if matches!(stretch.cursor, Cursor::Before(_)) {
        missing.extend((from..=upto).rev().take(most));
    } else {
        missing.extend((from..=upto).take(most));
    }
    Ok(())
}

/// The numbers after `since` up to `end` that were given to no message which is there. The rows are those whose latest
/// change is among them, in the order of their changes.
fn find_since(
    conn: &mut AnyConnection,
    room_id: i64,
    rows: &[Link],
    (since, end): (i64, i64),
    most: usize,
) -> Result<Vec<i64>, QueryError> {
    // The least id of this row and all that come after it.
    let mut lowest_ids = vec![i64::MAX; rows.len() + 1];
    for (at, row) in rows.iter().enumerate().rev() {
        lowest_ids[at] = lowest_ids[at + 1].min(row.id);
    }
    let ends = rows
        .iter()
        .map(|row| row.seq)
        .chain([end.saturating_add(1)]);
    let (mut missing, mut last, mut known) = (Vec::new(), since, since);
    for (at, next) in ends.enumerate() {
        let mut number = last.max(known).saturating_add(1);
        last = last.max(next);
        while number < next && missing.len() < most {
            // Whatever has it as its latest change comes later.
            if lowest_ids[at] <= number {
                break;
            }
            if let Some(seq) = find_spanning(conn, room_id, number, end)? {
                known = known.max(seq);
                number = known.saturating_add(1);
            } else {
                missing.push(number);
                number += 1;
            }
        }
    }
    Ok(missing)
}

/// A message that is not there.
#[must_use]
pub fn missing(number: i64, at: Timestamp, room: &str) -> Message {
    let number = number.unsigned_abs();
    Message {
        id: number,
        seq: number,
        room: room.to_owned(),
        user_id: 0,
        username: String::new(),
        content: String::new(),
        created_at: at,
        client_id: None,
        unreadable: true,
        ..Message::default()
    }
}
