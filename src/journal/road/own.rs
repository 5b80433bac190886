//! Settings of members, all of a transaction at once: what each comes to is decided by what the rows were before, and what was
//! set before it; then each row is written once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::At;
use crate::{
    db::{
        AnyConnection, QueryError,
        log::own::{self, Member, NewMarker, Own},
        reading::{self, Stretch},
        sessions,
    },
    error::{Error, Result},
    journal::own::{Mark, Noted, NotedSet, Set, Setting, Settled},
    protocol::{
        reading::{Counts, Notify},
        time,
    },
};

/// So many markers of one transaction have what is unread above them counted, where that takes a look: the messages of the
/// transaction wait for it. Who sets one of the others is told how far it is, and no more.
const MOST_COUNTS: usize = 32;

/// What has become of the settings of a transaction.
#[derive(Debug, Default)]
pub struct Settlement {
    /// Of each, in their order.
    pub settled: Vec<Result<Settled>>,
    /// What is to be told of them.
    pub noted: Vec<Noted>,
}

/// A marker: a member's, or that of someone in a thread.
type Key = (Own, Option<i64>);

/// A marker while settings are gone through.
#[derive(Debug, Clone, Copy)]
struct Marker {
    seq: i64,
    before: i64,
    /// How far it was read on, if it was.
    furthest: i64,
    /// Whether there is a row for it.
    is_kept: bool,
}

impl Marker {
    fn at(seq: i64, is_kept: bool) -> Self {
        Self {
            seq,
            before: seq,
            furthest: 0,
            is_kept,
        }
    }

    /// Others are told of who reads on, and never of who goes back to read it again, nor of who does not show it.
    fn shown(self, member: Member) -> i64 {
        if member.shows {
            member.shown_seq.max(self.furthest)
        } else {
            member.shown_seq
        }
    }
}

/// Stores what members set for themselves.
///
/// # Errors
/// When the database fails.
pub fn settle(
    conn: &mut AnyConnection,
    settings: &[&Setting],
    at: At,
) -> Result<Settlement, QueryError> {
    if settings.is_empty() {
        return Ok(Settlement::default());
    }
    let actors = settings.iter().map(|setting| &setting.actor);
    let logins = actors.map(|actor| (actor.session_id, actor.user_id));
    let live = sessions::list_live(conn, logins.collect(), at.clock)?;
    let wanted: BTreeSet<Own> = settings.iter().map(|setting| own_of(setting)).collect();
    let wanted: Vec<Own> = wanted.into_iter().collect();
    let mut desk = Desk {
        members: own::list_members(conn, &wanted, time::now())?,
        markers: BTreeMap::new(),
        levels: BTreeMap::new(),
    };
    let mut taken = Vec::with_capacity(settings.len());
    for setting in settings {
        let actor = &setting.actor;
        taken.push(if live.contains(&(actor.session_id, actor.user_id)) {
            desk.take(conn, setting)?
        } else {
            Err(Error::invalid_token())
        });
    }
    desk.write(conn)?;
    let counts = desk.count(conn)?;
    let noted = desk.list_noted(conn, &counts)?;
    let settled = settings.iter().zip(taken).map(|(setting, taken)| {
        let key = taken?;
        Ok(match (setting.what, desk.markers.get(&key)) {
            (Set::Read(_), Some(marker)) => Settled::Read {
                seq: marker.seq.unsigned_abs(),
                counts: counts.get(&key).copied(),
            },
            _ => Settled::Kept,
        })
    });
    Ok(Settlement {
        settled: settled.collect(),
        noted,
    })
}

fn own_of(setting: &Setting) -> Own {
    (setting.room, setting.actor.user_id)
}

/// What is being set.
struct Desk {
    members: HashMap<Own, Member>,
    markers: BTreeMap<Key, Marker>,
    levels: BTreeMap<Own, Notify>,
}

impl Desk {
    /// What a setting makes of the row that it is about.
    fn take(
        &mut self,
        conn: &mut AnyConnection,
        setting: &Setting,
    ) -> Result<Result<Key>, QueryError> {
        let own = own_of(setting);
        let Some(&Member {
            read_seq, last_seq, ..
        }) = self.members.get(&own)
        else {
            return Ok(Err(Error::no_such_room()));
        };
        let mark = match setting.what {
            Set::Notify(level) => {
                self.levels.insert(own, level);
                return Ok(Ok((own, None)));
            }
            Set::Read(mark) => mark,
        };
        if mark.seq > last_seq {
            let detail = format!("`seq` is above the room's latest change, {last_seq}.");
            return Ok(Err(Error::invalid_field("seq", detail)));
        }
        let key = (own, mark.thread);
        let known = self.markers.get(&key).copied();
        let marker = match known {
            Some(marker) => Some(marker),
            None => find(conn, key, read_seq, mark)?,
        };
        let Some(mut marker) = marker else {
            return Ok(Err(Error::no_such_message()));
        };
        if mark.is_back {
            marker.seq = (mark.seq - 1).max(0);
        } else {
            marker.seq = marker.seq.max(mark.seq);
            // It says no more than it says: what lies above it may have been read unseen.
            marker.furthest = marker.furthest.max(mark.seq);
        }
        self.markers.insert(key, marker);
        Ok(Ok(key))
    }

    fn write(&self, conn: &mut AnyConnection) -> Result<(), QueryError> {
        let mut of_rooms = Vec::new();
        for (&(own, thread), marker) in &self.markers {
            let is_moved = marker.seq != marker.before;
            match (thread, self.members.get(&own)) {
                (None, Some(member)) => {
                    let shown_seq = marker.shown(*member);
                    if is_moved || shown_seq != member.shown_seq {
                        let seq = marker.seq;
                        of_rooms.push(NewMarker {
                            own,
                            seq,
                            shown_seq,
                        });
                    }
                }
                (Some(thread), _) if is_moved && marker.is_kept => {
                    own::set_thread_marker(conn, (own.0, thread, own.1), marker.seq)?;
                }
                _ => {}
            }
        }
        own::set_markers(conn, &of_rooms)?;
        for (own, level) in &self.levels {
            own::set_notify(conn, *own, level.as_str())?;
        }
        Ok(())
    }

    /// What is unread above the markers.
    fn count(&self, conn: &mut AnyConnection) -> Result<HashMap<Key, Counts>, QueryError> {
        let (mut counts, mut looks) = (HashMap::new(), 0);
        for (key, marker) in &self.markers {
            let ((room_id, user_id), thread) = *key;
            let last_seq = self.members.get(&key.0).map_or(0, |who| who.last_seq);
            let unread = if marker.seq >= last_seq {
                reading::Unread::default()
            } else if looks < MOST_COUNTS {
                looks += 1;
                let stretch = Stretch {
                    room_id,
                    thread,
                    user_id,
                    above: marker.seq,
                    upto: last_seq,
                };
                reading::count(conn, stretch)?
            } else {
                continue;
            };
            let counted = Counts {
                unread: unread.messages.unsigned_abs(),
                mentions: unread.mentions.unsigned_abs(),
                at: last_seq.unsigned_abs(),
            };
            counts.insert(*key, counted);
        }
        Ok(counts)
    }

    /// What is to be told of it: to the devices of whoever has set it, and of how far they have read to those who see that.
    fn list_noted(
        &self,
        conn: &mut AnyConnection,
        counts: &HashMap<Key, Counts>,
    ) -> Result<Vec<Noted>, QueryError> {
        let mut noted = Vec::new();
        let mut readers: HashMap<i64, Vec<i64>> = HashMap::new();
        for (key, marker) in &self.markers {
            let ((room_id, user_id), thread) = *key;
            if !marker.is_kept {
                continue;
            }
            let member = self.members.get(&key.0).filter(|_| thread.is_none());
            let told = member.and_then(|member| {
                let seq = marker.shown(*member);
                (seq > member.shown_seq).then_some(seq.unsigned_abs())
            });
            let shown_to = if told.is_some() {
                let showing = match readers.get(&room_id) {
                    Some(showing) => showing,
                    None => readers
                        .entry(room_id)
                        .or_insert(list_showing(conn, room_id)?),
                };
                let shows = showing.contains(&user_id);
                let others = showing.iter().copied();
                others.filter(|other| shows && *other != user_id).collect()
            } else {
                Vec::new()
            };
            noted.push(Noted {
                room_id,
                user_id,
                what: NotedSet::Read {
                    thread: thread.map(i64::unsigned_abs),
                    seq: marker.seq.unsigned_abs(),
                    counts: counts.get(key).copied(),
                    shown: told.unwrap_or(0),
                    shown_to,
                },
            });
        }
        noted.extend(self.levels.iter().map(|(own, level)| Noted {
            room_id: own.0,
            user_id: own.1,
            what: NotedSet::Notify(*level),
        }));
        Ok(noted)
    }
}

/// The marker of a member, as it is before; `None` when there is no such thread. In one that they have nothing to do with
/// nothing is kept.
fn find(
    conn: &mut AnyConnection,
    ((room_id, user_id), thread): Key,
    read_seq: i64,
    mark: Mark,
) -> Result<Option<Marker>, QueryError> {
    let Some(thread) = thread else {
        return Ok(Some(Marker::at(read_seq, true)));
    };
    if let Some(seq) = own::find_thread_marker(conn, (room_id, thread, user_id))? {
        return Ok(Some(Marker::at(seq, true)));
    }
    let is_there = own::is_thread(conn, room_id, thread)?;
    Ok(is_there.then_some(Marker::at(mark.seq, false)))
}

/// Those of a room who show how far they have read, if it is so small that it is shown.
fn list_showing(conn: &mut AnyConnection, room_id: i64) -> Result<Vec<i64>, QueryError> {
    let readers = reading::list_readers(conn, room_id)?.unwrap_or_default();
    let showing = readers.into_iter().filter(|reader| reader.shows);
    Ok(showing.map(|reader| reader.user_id).collect())
}
