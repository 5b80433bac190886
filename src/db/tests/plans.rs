//! What is asked all the time must find its rows by an index, on either database: never by a look at all messages. The
//! statements are those that the program runs; the databases are asked for their plans.

use chrono::NaiveDateTime;
use diesel::{RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types::Text};

use crate::{
    db::{
        AnyConnection, QueryError,
        by_hand::{Tables, keep_statements, run},
        drafts,
        log::later,
        messages::{self, Cursor, Only, PageRequest},
        reading::{self, Of, Stretch},
        rooms::{saved, views},
        scheduled, threads,
        users::directory,
    },
    protocol::time::now,
};

/// The room that most is in.
const LARGE: i64 = 2;
/// Who is in all rooms, is mentioned often, follows many threads and has saved much.
const READER: i64 = 1;

/// Tables that grow with what people do: nobody walks through all of one.
const GROWING: [&str; 8] = [
    "messages",
    "mentions",
    "threads",
    "thread_people",
    "saved",
    "scheduled",
    "drafts",
    "user_words",
];

const AT: &str = "'2026-11-27 00:00:00'";
const LATER: &str = "'2099-11-27 00:00:00'";

/// 40 rooms, 300 people, 12,000 messages, most of them in one room, each fifth a reply in a thread, each seventh a mention; and
/// 2,000 that are to be said later, half of them by one, a few of which could not be.
fn fill(conn: &mut AnyConnection) {
    let numbers = |most: u32| {
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})")
    };
    let text = [
        format!("INSERT INTO users (id, username, username_key, password_hash, created_at) {} SELECT i, 'user' || i, 'user' || i, '', {AT} FROM n", numbers(300)),
        "INSERT INTO user_words (word, user_id) SELECT '75736572' || (30 + id % 10) || id, id FROM users".to_owned(),
        format!("INSERT INTO rooms (id, key, last_seq, created_at, kind, name, members, last_message_id) {} SELECT i, CAST(i AS TEXT), 12000, {AT}, 'private', 'room' || i, 1, 12000 FROM n WHERE i > 1", numbers(40)),
        format!("INSERT INTO memberships (room_id, user_id, created_at) SELECT id, {READER}, {AT} FROM rooms"),
        format!("INSERT INTO memberships (room_id, user_id, created_at) SELECT 2 + id % 39, id, {AT} FROM users WHERE id > 1"),
        // Those whose number 4 divides are in the large room, the others in all.
        format!("INSERT INTO messages (room_id, id, seq, user_id, content, created_at, kind, thread, thread_only) {} \
                 SELECT CASE WHEN i % 4 = 0 THEN 2 + i % 39 ELSE {LARGE} END, i, i, 1 + i % 300, 'sealed', {AT}, 'text', \
                   CASE WHEN i % 5 = 0 AND i % 4 <> 0 AND i > 100 THEN 1 + 4 * (i % 20) END, i % 5 = 0 AND i % 4 <> 0 AND i > 100 \
                 FROM n", numbers(12_000)),
        format!("INSERT INTO threads (room_id, id, replies, last_id, last_at, seq) SELECT room_id, thread, COUNT(*), MAX(id), {AT}, MAX(id) \
                 FROM messages WHERE thread IS NOT NULL GROUP BY room_id, thread"),
        "INSERT INTO thread_people (room_id, thread, user_id, replies) SELECT threads.room_id, threads.id, users.id, 1 FROM threads, users".to_owned(),
        "INSERT INTO mentions (room_id, user_id, message_id, thread) SELECT room_id, CASE WHEN id % 2 = 0 THEN 0 ELSE 1 + id % 9 END, id, thread \
                 FROM messages WHERE id % 7 = 0".to_owned(),
        format!("INSERT INTO saved (user_id, room_id, message_id, created_at) SELECT 1 + id % 5, room_id, id, {AT} FROM messages WHERE id % 3 = 0"),
        format!("INSERT INTO drafts (user_id, room_id, thread, content, updated_at) SELECT users.id, rooms.id, 0, 'sealed', {AT} FROM users, rooms WHERE rooms.id < 9"),
        format!("INSERT INTO scheduled (id, user_id, room_id, also_to_room, kind, content, client_id, send_at, try_at, created_at, failed) {} \
                 SELECT i, CASE WHEN i % 2 = 0 THEN {READER} ELSE 1 + i % 300 END, 2 + i % 39, FALSE, 'message', 'sealed', 'name' || i, {LATER}, {LATER}, {AT}, \
                   CASE WHEN i % 50 = 0 THEN 'why' END FROM n", numbers(2_000)),
    ]
    .join("; ");
    run(conn, &text);
    if matches!(conn, AnyConnection::Postgres(_)) {
        run(conn, "ANALYZE");
    }
}

#[derive(diesel::QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// What a database does for this statement, step by step.
fn plan(conn: &mut AnyConnection, statement: &str) -> Vec<String> {
    let steps: Vec<Step> = match conn {
        AnyConnection::Sqlite(conn) => sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn),
        AnyConnection::Postgres(conn) => {
            let most = (1..40).rev().find(|n| statement.contains(&format!("${n}")));
            let most = most.unwrap_or(0);
            let within = |items: Vec<&str>| match items.len() {
                0 => String::new(),
                _ => format!("({})", items.join(", ")),
            };
            let values = within(vec!["NULL"; most]);
            // Of the others it finds out the type by itself.
            let is_list = |n: usize| {
                let lists = statement.split("unnest(").skip(1);
                let mut lists = lists.filter_map(|list| list.split(')').next());
                lists.any(|list| list.split(", ").any(|one| one == format!("${n}")))
            };
            let types = (1..=most).map(|n| if is_list(n) { "bigint[]" } else { "unknown" });
            let types = within(types.collect());
            // As a statement that was prepared and is run again and again, on tables that have outgrown a walk. A function tells its plan by name.
            let prepare = format!(
                "DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; PREPARE asked{types} AS {statement}; \
                 CREATE OR REPLACE FUNCTION pg_temp.plan() RETURNS SETOF text LANGUAGE plpgsql AS \
                 $f$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN EXECUTE asked{values}'; END $f$"
            );
            conn.batch_execute(&prepare).unwrap_or_else(|error| panic!("{statement}: {error}"));
            sql_query("SELECT detail FROM pg_temp.plan() AS detail").load(conn)
        }
    }
    .unwrap_or_else(|error| panic!("{statement}: {error}"));
    steps.into_iter().map(|step| step.detail).collect()
}

/// The steps that walk through all of a table.
fn walks(steps: &[String]) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let words: Vec<&str> = step.split_whitespace().collect();
        // SQLite: `SCAN messages` is a walk, `SEARCH` is none; what is put together from others has these names.
        if let ["SCAN", name, ..] = words[..] {
            let is_small = ["looked_at", "counted", "found", "own", "every", "CONSTANT"];
            if !is_small.contains(&name) && !name.starts_with('(') && !name.starts_with("json_each")
            {
                found.push(step.as_str());
            }
        }
        // It has no index, so it may only be what is gone through once.
        if step.starts_with("MATERIALIZE found") {
            found.push(step.as_str());
        }
        // PostgreSQL.
        let is_growing = GROWING.iter().any(|table| words.contains(table));
        if is_growing && step.contains("Seq Scan on") {
            found.push(step);
        }
        if is_growing && (step.contains("Index Scan") || step.contains("Index Only Scan")) {
            let own = steps[at + 1..]
                .iter()
                .take_while(|next| !next.contains("->"));
            if !own.clone().any(|next| next.contains("Index Cond")) {
                found.push(step);
            }
        }
    }
    found
}

type Ask = fn(&mut AnyConnection) -> Result<(), QueryError>;

fn page(conn: &mut AnyConnection, only: Only, cursor: Cursor) -> Result<(), QueryError> {
    let request = PageRequest {
        cursor,
        limit: 50,
        bytes: 100_000,
        only,
    };
    messages::list_within(conn, LARGE, request).map(drop)
}

fn pages(conn: &mut AnyConnection, only: Only) -> Result<(), QueryError> {
    for cursor in [
        Cursor::Before(6_000),
        Cursor::After(6_000),
        Cursor::Since(6_000),
    ] {
        page(conn, only, cursor)?;
    }
    Ok(())
}

fn stretch(thread: Option<i64>) -> Stretch {
    Stretch {
        room_id: LARGE,
        thread,
        user_id: READER,
        above: 6_000,
        upto: 11_000,
    }
}

fn end_of_time() -> NaiveDateTime {
    now().naive_utc()
}

const ASKED: [(&str, Ask); 26] = [
    ("a page of everything", |conn| pages(conn, Only::All)),
    ("a page of the room", |conn| pages(conn, Only::Room)),
    ("a page of what people wrote", |conn| {
        pages(conn, Only::Written)
    }),
    ("a page of what is pinned", |conn| pages(conn, Only::Pinned)),
    ("a page of a thread", |conn| pages(conn, Only::Thread(21))),
    ("messages by their numbers", |conn| {
        messages::list_numbered(conn, LARGE, vec![1, 9, 21]).map(drop)
    }),
    ("what is unread in all rooms", |conn| {
        reading::list_news(conn, READER, Of::All).map(drop)
    }),
    ("what is unread in a room", |conn| {
        reading::list_news(conn, READER, Of::Room(LARGE)).map(drop)
    }),
    ("what is unread in rooms that follow one another", |conn| {
        reading::list_news(conn, READER, Of::Stretch((1, 20))).map(drop)
    }),
    ("what is unread in some rooms", |conn| {
        reading::list_news(conn, READER, Of::These(vec![2, 5, 9])).map(drop)
    }),
    ("what is unread in a stretch of a room", |conn| {
        reading::count(conn, stretch(None)).map(drop)
    }),
    ("what is unread in a stretch of a thread", |conn| {
        reading::count(conn, stretch(Some(21))).map(drop)
    }),
    ("what is unread in threads", |conn| {
        reading::list_of_threads(conn, READER, &[(LARGE, 21), (LARGE, 41)]).map(drop)
    }),
    ("who has read how far", |conn| {
        reading::list_readers(conn, LARGE).map(drop)
    }),
    ("the threads that one follows", |conn| {
        threads::list_followed(conn, READER, (end_of_time(), i64::MAX, i64::MAX), 50).map(drop)
    }),
    ("what is under messages", |conn| {
        threads::list_replies(conn, LARGE, vec![1, 21, 41]).map(drop)
    }),
    ("people by the beginnings of their names", |conn| {
        let sought = ["user1".to_owned()];
        directory::search(conn, &sought, None, 50)?;
        let after = ("7573657231".to_owned(), 9);
        directory::search(conn, &sought, Some(&after), 50).map(drop)
    }),
    ("what one has saved", |conn| {
        saved::list(conn, READER, None, 50)?;
        saved::list(conn, READER, Some((now(), LARGE, 9)), 50).map(drop)
    }),
    ("a draft, and the members of a room", |conn| {
        drafts::find(conn, (READER, LARGE, 0))?;
        views::list_members(conn, LARGE, 0, 50).map(drop)
    }),
    ("what one has waiting", |conn| {
        scheduled::list(conn, READER, None, 50)?;
        scheduled::list(conn, READER, Some((now(), 9)), 50)?;
        scheduled::count(conn, READER).map(drop)
    }),
    ("one that waits", |conn| {
        scheduled::find(conn, READER, 8)?;
        scheduled::find_named(conn, (READER, LARGE), "name78")?;
        scheduled::find_said(conn, (READER, LARGE), "name78").map(drop)
    }),
    ("keeping one more that waits", |conn| {
        let new = scheduled::New {
            user_id: READER,
            room_id: LARGE,
            thread: None,
            also_to_room: false,
            reply_to: None,
            kind: "message",
            client_id: "new",
            send_at: now(),
            created_at: now(),
        };
        scheduled::insert(conn, &new, |_| "sealed".to_owned()).map(drop)
    }),
    ("another text or time of one that waits", |conn| {
        scheduled::set_content(conn, (READER, 8), "sealed again")?;
        scheduled::set_time(conn, (READER, 8), now())?;
        scheduled::delete(conn, READER, 10).map(drop)
    }),
    ("what is due", |conn| {
        let due = scheduled::list_due(conn, now(), 32)?;
        let tried = due.first().map(|due| due.what.clone());
        let tried = tried.ok_or(QueryError::NotFound)?;
        scheduled::set_failed(conn, &tried, "why").map(drop)
    }),
    ("what waits for slow mode", |conn| {
        scheduled::postpone(conn, (READER, LARGE), now())
    }),
    ("what is said later, as it is said", |conn| {
        later::hold(conn, &[8, 12, 14])?;
        later::delete(conn, &[8, 12, 14])
    }),
];

#[test]
fn what_is_asked_all_the_time_is_found_by_an_index() {
    Tables::on_both(|tables| {
        let (mut conn, mut explaining) = (tables.open(), tables.open());
        fill(&mut conn);
        let kept = keep_statements(&mut conn);
        let mut faults = Vec::new();
        for (what, ask) in ASKED {
            ask(&mut conn).unwrap_or_else(|error| panic!("{what}: {error}"));
            let statements = std::mem::take(&mut *kept.lock().expect("not poisoned"));
            let words = ["SELECT", "UPDATE", "DELETE"];
            let asked = statements
                .iter()
                .filter(|text| words.iter().any(|word| text.starts_with(word)));
            assert!(asked.clone().count() > 0, "{what} asks for nothing");
            for statement in asked {
                let steps = plan(&mut explaining, statement);
                for walk in walks(&steps) {
                    faults.push(format!(
                        "{what}: {walk}\n  {statement}\n  {}",
                        steps.join("\n  ")
                    ));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    });
}

/// The scheduler asks for it whenever it has nothing to say: it is the first in the order of an index, and nothing is sorted.
#[test]
fn when_something_is_to_be_said_next_is_the_first_of_an_index() {
    Tables::on_both(|tables| {
        let (mut conn, mut explaining) = (tables.open(), tables.open());
        fill(&mut conn);
        let kept = keep_statements(&mut conn);
        let next = scheduled::find_next(&mut conn).expect("answers");
        assert!(next.is_some(), "something waits");
        let statements = std::mem::take(&mut *kept.lock().expect("not poisoned"));
        let mut asked = statements.iter().filter(|text| text.starts_with("SELECT"));
        let (Some(statement), None) = (asked.next(), asked.next()) else {
            panic!("not one statement: {statements:?}");
        };
        let steps = plan(&mut explaining, statement).join("\n");
        assert!(steps.contains("scheduled_by_time"), "{steps}");
        for other in ["TEMP B-TREE", "Sort", "Filter", "Seq Scan"] {
            assert!(!steps.contains(other), "{steps}");
        }
    });
}
