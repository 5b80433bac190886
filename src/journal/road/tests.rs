//! The road on the tables themselves, on both databases. (`PostgreSQL` where the tests are given one.)

mod races;
mod stage;

use stage::{
    Became::{Done, Refused, Repeat, Unchanged},
    GENERAL, ROOM, Stage, on_both, short,
};

use super::{Stored, Work};
use crate::{
    db::{AnyConnection, by_hand::run},
    error::Code,
    journal::entry::{Change, How, Membership, NewRoom, RoomPatch, Told},
    protocol::room::{Role, RoomEvent, RoomKind},
};

/// An administrator has deleted an account by SQL, past the foreign keys; its login and membership are still there.
#[test]
fn what_the_tables_refuse_of_one_is_stored_of_all_others() {
    on_both(|mut stage| {
        let ghost = stage.people[1].user_id;
        let delete = format!("DELETE FROM users WHERE id = {ghost}");
        let past_keys = match &stage.conn {
            AnyConnection::Postgres(_) => {
                format!("BEGIN; SET LOCAL session_replication_role = replica; {delete}; COMMIT")
            }
            AnyConnection::Sqlite(_) => {
                format!("PRAGMA foreign_keys = OFF; {delete}; PRAGMA foreign_keys = ON")
            }
        };
        run(&mut stage.conn, &past_keys);
        let entries = [
            stage.post(0, GENERAL, "one"),
            stage.named(1, GENERAL, "of no one", Some("c")),
            stage.named(2, GENERAL, "two", Some("c")),
            stage.named(2, GENERAL, "two", Some("c")),
            stage.post(3, GENERAL, "three"),
        ];
        assert_eq!(
            stage.became(&entries),
            [
                Done(1, 1),
                Refused(Code::InvalidToken),
                Done(2, 2),
                Repeat(2),
                Done(3, 3)
            ]
        );
    });
}

#[test]
fn a_message_is_edited_deleted_reacted_to_and_pinned_by_whom_it_may() {
    on_both(|mut stage| {
        let join = |stage: &mut Stage, who: usize| {
            let user = stage.people[who].user_id;
            let role = Role::Member;
            stage.one(who, Change::Join { user, role })
        };
        assert_eq!(join(&mut stage, 1), Done(1, 1));
        assert_eq!(join(&mut stage, 1), Unchanged);
        let said = [
            stage.named(1, ROOM, "first words", Some("c")),
            stage.post(0, ROOM, "answer"),
        ];
        assert_eq!(stage.became(&said), [Done(2, 2), Done(3, 3)]);
        let edit = |stage: &Stage, if_seq, text: &str| Change::Edit {
            id: 2,
            if_seq,
            body: stage.body(text),
            candidates: Vec::new(),
        };
        let not_hers = edit(&stage, None, "other words");
        assert_eq!(stage.one(0, not_hers), Refused(Code::Forbidden));
        let react = |id, on| Change::React {
            id,
            emoji: "👍".into(),
            on,
        };
        assert_eq!(stage.one(0, react(2, true)), Done(2, 4));
        assert_eq!(stage.one(0, react(2, true)), Unchanged);
        // A reaction does not count.
        let his = edit(&stage, Some(2), "other words");
        assert_eq!(stage.one(1, his), Done(2, 5));
        let late = edit(&stage, Some(4), "late words");
        assert_eq!(stage.one(1, late), Refused(Code::ChangedSince));
        let again = edit(&stage, Some(2), "other words");
        assert_eq!(stage.one(1, again), Unchanged);
        assert_eq!(stage.count("message_versions"), 1);
        let entry = stage.entry(1, ROOM, Change::Pin { id: 2, on: true });
        match stage.store(&[entry]).remove(0) {
            Stored::Changed { told, .. } => match told.into_iter().next() {
                Some((2, 6, Told::Changed { now, how })) => {
                    assert_eq!(how, How::Pinned { on: true });
                    assert_eq!(now.row.pinned_by, Some(stage.people[1].user_id));
                    assert!(now.row.edited_at.is_some());
                    assert_eq!((now.reactions.len(), now.reactions[0].count), (1, 1));
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
        // A retry of what was edited is one, whatever its text.
        let retry = [stage.named(1, ROOM, "first words", Some("c"))];
        assert_eq!(stage.became(&retry), [Repeat(2)]);

        let delete = |id| Change::Delete { id, if_seq: None };
        assert_eq!(
            stage.one(1, delete(3)),
            Refused(Code::Forbidden),
            "of others"
        );
        assert_eq!(stage.one(0, delete(2)), Done(2, 7), "an owner may");
        assert_eq!(stage.one(0, delete(2)), Unchanged);
        assert_eq!(stage.one(0, react(2, true)), Refused(Code::MessageDeleted));
        assert_eq!(
            stage.one(0, delete(1)),
            Refused(Code::Forbidden),
            "of the room"
        );
        assert_eq!(stage.one(0, delete(99)), Refused(Code::MessageNotFound));
        for table in [
            "message_versions",
            "reactions",
            "messages WHERE id = 2 AND content <> ''",
        ] {
            assert_eq!(stage.count(table), 0, "{table}");
        }
        assert_eq!(stage.became(&retry), [Repeat(2)]);
        assert_eq!(stage.one(2, react(3, true)), Refused(Code::JoinFirst));
    });
}

#[test]
fn who_is_in_a_room_and_what_they_may_changes_at_a_number_of_its_log() {
    on_both(|mut stage| {
        let ids: Vec<i64> = stage.people.iter().map(|who| who.user_id).collect();
        let join = |user| Change::Join {
            user,
            role: Role::Member,
        };
        assert_eq!(stage.one(1, join(ids[1])), Done(1, 1));
        assert_eq!(stage.one(1, join(ids[2])), Done(2, 2), "a member invites");
        let leave = |user| Change::Leave { user };
        assert_eq!(stage.one(0, leave(ids[0])), Refused(Code::LastOwner));
        let kick = stage.entry(0, ROOM, leave(ids[2]));
        let posts = [
            stage.post(2, ROOM, "before"),
            kick,
            stage.post(2, ROOM, "after"),
            stage.post(1, ROOM, "the others stay"),
        ];
        let stored = stage.store(&posts);
        let short: Vec<_> = stored.iter().map(short).collect();
        let refused = Refused(Code::RoomNotFound);
        assert_eq!(short, [Done(3, 3), Done(4, 4), refused, Done(5, 5)]);
        match &stored[1] {
            Stored::Changed { told, .. } => match &told[0].2 {
                Told::System {
                    text,
                    event,
                    author,
                    members,
                } => {
                    assert_eq!(author.user_id, ids[0]);
                    assert_eq!(text, "alice removed carol from the room");
                    assert_eq!(*event, RoomEvent::Kicked { user_id: ids[2] });
                    assert_eq!(*members, [(ids[2], Membership::Left)]);
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
        assert_eq!(stage.one(2, join(ids[2])), Refused(Code::RoomNotFound));
        assert_eq!(stage.one(1, join(ids[2])), Refused(Code::Forbidden));
        assert_eq!(stage.one(0, join(ids[2])), Done(6, 6), "until invited");
        assert_eq!(stage.count("removals"), 0);

        let role = |user, role| Change::Member {
            user,
            role: Some(role),
            until: None,
        };
        assert_eq!(
            stage.one(1, role(ids[1], Role::Owner)),
            Refused(Code::Forbidden)
        );
        assert_eq!(stage.one(0, role(ids[1], Role::Moderator)), Done(7, 7));
        let until = Some(stage.clock.now() + chrono::TimeDelta::hours(1));
        let mute = |user, until: Option<_>| Change::Member {
            user,
            role: None,
            // A time that is over.
            until: Some(until.unwrap_or_default()),
        };
        assert_eq!(stage.one(1, mute(ids[0], until)), Refused(Code::Forbidden));
        assert_eq!(stage.one(1, mute(ids[2], until)), Done(8, 8));
        let muted = [
            stage.post(2, ROOM, "muted"),
            stage.post(0, ROOM, "not muted"),
        ];
        assert_eq!(stage.became(&muted), [Refused(Code::Muted), Done(9, 9)]);
        assert_eq!(stage.one(1, mute(ids[2], None)), Done(10, 10));
        let back = [stage.post(2, ROOM, "back")];
        assert_eq!(stage.became(&back), [Done(11, 11)]);

        let patch = Change::Room(RoomPatch {
            topic: Some("tea and cake".into()),
            slow_seconds: Some(60),
            ..RoomPatch::default()
        });
        assert_eq!(stage.one(1, patch), Done(13, 13), "a number for each");
        let slow = [stage.post(2, ROOM, "one"), stage.post(2, ROOM, "two")];
        assert_eq!(stage.became(&slow), [Done(14, 14), Refused(Code::SlowMode)]);
        let archive = |archived| {
            Change::Room(RoomPatch {
                archived: Some(archived),
                ..RoomPatch::default()
            })
        };
        assert_eq!(stage.one(1, archive(true)), Refused(Code::Forbidden));
        assert_eq!(stage.one(0, archive(true)), Done(15, 15));
        let closed = [stage.post(0, ROOM, "closed")];
        assert_eq!(stage.became(&closed), [Refused(Code::RoomArchived)]);
        assert_eq!(stage.one(0, archive(false)), Done(16, 16));
        assert_eq!(stage.one(0, role(ids[1], Role::Owner)), Done(17, 17));
        assert_eq!(stage.one(0, leave(ids[0])), Done(18, 18));
        let general = stage.entry(0, GENERAL, leave(ids[0]));
        assert_eq!(stage.became(&[general]), [Refused(Code::Forbidden)]);
    });
}

#[test]
fn a_name_that_another_public_room_has_is_refused_and_nothing_else() {
    on_both(|mut stage| {
        let rename = |name: &str| {
            Change::Room(RoomPatch {
                name: Some(name.into()),
                topic: Some("told with it".into()),
                ..RoomPatch::default()
            })
        };
        let entries = [
            stage.entry(0, ROOM, rename("General")),
            stage.post(0, ROOM, "goes on"),
            stage.entry(0, ROOM, rename("coffee")),
        ];
        assert_eq!(
            stage.became(&entries),
            [Refused(Code::RoomNameTaken), Done(1, 1), Done(3, 3)]
        );
        assert_eq!(
            stage.count("rooms WHERE name = 'coffee' AND topic IS NOT NULL"),
            1
        );
        let topics = "messages WHERE content LIKE '%coffee%' OR content LIKE '%told%'";
        assert_eq!(stage.count(topics), 0, "all of it is sealed");
    });
}

/// A client that has lost an answer sends its message again, perhaps behind an edit or a deletion of it.
#[test]
fn a_retry_right_behind_a_change_of_its_message_is_a_repeat_of_what_is_there() {
    on_both(|mut stage| {
        let first = stage.named(0, ROOM, "one", Some("a"));
        let second = stage.named(0, ROOM, "two", Some("b"));
        let third = stage.named(0, ROOM, "three", Some("c"));
        assert_eq!(
            stage.became(&[first, second, third]),
            [Done(1, 1), Done(2, 2), Done(3, 3)]
        );
        let edited = stage.body("another");
        let change = |id| (id, None);
        let (id, if_seq) = change(1);
        let edit = Change::Edit {
            id,
            if_seq,
            body: edited,
            candidates: Vec::new(),
        };
        let (id, if_seq) = change(2);
        let delete = Change::Delete { id, if_seq };
        let (emoji, on) = ("👍".to_owned(), true);
        let react = Change::React { id: 3, emoji, on };
        let entries = [
            stage.entry(0, ROOM, edit),
            stage.entry(0, ROOM, delete),
            stage.entry(0, ROOM, react),
            stage.named(0, ROOM, "one?", Some("a")),
            stage.named(0, ROOM, "two?", Some("b")),
            stage.named(0, ROOM, "three", Some("c")),
            stage.post(0, ROOM, "new"),
        ];
        let stored = stage.store(&entries);
        let repeats = stored.iter().filter_map(|stored| match stored {
            Stored::Repeat {
                id, seq, content, ..
            } => Some((*id, *seq, content.is_some())),
            _ => None,
        });
        assert_eq!(
            repeats.collect::<Vec<_>>(),
            [(1, 4, false), (2, 5, false), (3, 6, true)]
        );
        assert_eq!(short(&stored[6]), Done(7, 7));
    });
}

#[test]
fn a_change_that_takes_too_long_costs_no_one_else_theirs() {
    on_both(|mut stage| {
        if let AnyConnection::Sqlite(_) = &stage.conn {
            // It gives up no single statement.
            return;
        }
        run(
            &mut stage.conn,
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(9); RETURN NEW; END $$; \
             CREATE TRIGGER wait BEFORE INSERT ON reactions FOR EACH ROW EXECUTE FUNCTION wait()",
        );
        assert_eq!(stage.became(&[stage.post(0, ROOM, "one")]), [Done(1, 1)]);
        let (emoji, on) = ("👍".to_owned(), true);
        let react = Change::React { id: 1, emoji, on };
        let entries = [
            stage.post(0, ROOM, "two"),
            stage.entry(0, ROOM, react),
            stage.post(0, ROOM, "three"),
        ];
        assert_eq!(
            stage.became(&entries),
            [Done(2, 2), Refused(Code::StoreUnavailable), Done(3, 3)]
        );
    });
}

/// Each costs a round trip on `PostgreSQL`.
#[test]
fn a_batch_over_many_rooms_takes_as_many_statements_as_over_one() {
    const COUNT: i64 = 20;
    on_both(|mut stage| {
        let alice = stage.people[0].user_id;
        let rooms: Vec<i64> = (101..101 + COUNT).collect();
        for id in &rooms {
            run(
                &mut stage.conn,
                &format!(
                    "INSERT INTO rooms (id, key, name, last_seq, members, created_at, kind) \
                       VALUES ({id}, '{id}', 'n{id}', 0, 1, '2026-11-26 00:00:00', 'private'); \
                     INSERT INTO memberships (room_id, user_id, created_at, role) \
                       VALUES ({id}, {alice}, '2026-11-26 00:00:00', 'owner')"
                ),
            );
        }
        let one = vec![ROOM; rooms.len()];
        let posts = |stage: &Stage, rooms: &[i64]| -> Vec<_> {
            rooms
                .iter()
                .map(|room| stage.post(0, *room, "words"))
                .collect()
        };
        // The members are looked up once.
        for rooms in [&one, &rooms] {
            stage.became(&posts(&stage, rooms));
        }
        for is_mixed in [false, true] {
            let [in_one, in_many] = [&one, &rooms].map(|rooms| {
                let mut entries = posts(&stage, rooms);
                if is_mixed {
                    let emoji = if rooms == &one { "👍" } else { "👎" };
                    let (emoji, on) = (emoji.to_owned(), true);
                    let react = Change::React { id: 1, emoji, on };
                    entries.push(stage.entry(0, ROOM, react));
                }
                stage.statements(&entries)
            });
            // The number of the reaction's room is written beside those of the others.
            assert_eq!(in_one, in_many, "with another change: {is_mixed}");
        }
    });
}

/// Beginnings of rooms go to one writer, and renamings to the one of the room.
#[test]
fn two_writers_that_take_each_others_names_both_come_to_an_end() {
    on_both(|mut stage| {
        let Some((mut conn, mut other)) = stage.beside() else {
            // There is one writer.
            return;
        };
        let begin = |name: &str| {
            Change::Begin(NewRoom {
                kind: RoomKind::Public,
                name: Some(name.into()),
                topic: None,
                users: Vec::new(),
                most_an_hour: None,
            })
        };
        let rename = |name: &str| {
            let name = Some(name.into());
            Change::Room(RoomPatch {
                name,
                ..RoomPatch::default()
            })
        };
        let starts = [
            stage.entry(0, 11, begin("red")),
            stage.entry(0, 13, begin("blue")),
        ];
        stage.store(&starts);
        run(
            &mut stage.conn,
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$; \
             CREATE TRIGGER wait AFTER INSERT OR UPDATE OF name ON rooms FOR EACH ROW EXECUTE FUNCTION wait()",
        );
        let begins = [
            stage.entry(1, 20, begin("x")),
            stage.entry(1, 22, begin("y")),
        ];
        let renames = [
            stage.entry(0, 11, rename("y")),
            stage.entry(0, 13, rename("x")),
        ];
        let at = stage.at();
        let (one, two) = std::thread::scope(|scope| {
            let one = scope.spawn(|| stage.became(&begins));
            let entries: Vec<_> = renames.iter().collect();
            let work = Work {
                entries: &entries,
                settings: &[],
            };
            let two = other.store(&mut conn, work, at);
            (one.join().expect("begins"), two.expect("renames"))
        });
        let two: Vec<_> = two.stored.iter().map(short).collect();
        let is_clear =
            |became: &stage::Became| matches!(became, Done(..) | Refused(Code::RoomNameTaken));
        assert!(one.iter().chain(&two).all(is_clear), "{one:?} {two:?}");
        let done = one.iter().chain(&two).filter(|one| matches!(one, Done(..)));
        assert_eq!(done.count(), 2, "{one:?} {two:?}");
    });
}
