//! Random runs of a writer: commits that fail, are stored unconfirmed, or come through later.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Instant};

use proptest::prelude::*;
use tokio::sync::oneshot;

use super::*;
use crate::{
    db::log::posts::DraftRow,
    journal::{
        Actor, Body, Change, Outcome, Post, Told,
        numbering::table::{Row, Table},
    },
};

/// What becomes of the next transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Commits,
    /// It fails before its commit.
    Refused,
    /// Its commit is not confirmed; it was stored.
    UnknownStored,
    /// Its commit is not confirmed; it was not stored.
    UnknownLost,
    /// Its commit is not confirmed and still on its way: whoever locks its rooms next waits until it is stored.
    UnknownLater,
}

/// One step of a run.
#[derive(Debug, Clone)]
enum Step {
    /// These drafts come: room, sender, `client_id`.
    Come(Vec<(i64, i64, Option<u8>)>),
    /// All that waits is committed, or not.
    Commit(Fate),
    /// The writer settles its doubts, and the store answers or not.
    Settle(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let draft = (1..5i64, 1..4i64, prop::option::weighted(0.6, 0..8u8));
    let fate = prop_oneof![
        5 => Just(Fate::Commits),
        1 => Just(Fate::Refused),
        1 => Just(Fate::UnknownStored),
        1 => Just(Fate::UnknownLost),
        1 => Just(Fate::UnknownLater),
    ];
    let step = prop_oneof![
        6 => prop::collection::vec(draft, 1..5).prop_map(Step::Come),
        5 => fate.prop_map(Step::Commit),
        3 => any::<bool>().prop_map(Step::Settle),
    ];
    prop::collection::vec(step, 0..100)
}

/// The database: what is stored, and what becomes of the next transaction.
#[derive(Debug)]
struct Database {
    table: Table,
    /// The tables as they will be when the commit on its way has come through.
    on_its_way: Option<Table>,
    fate: Fate,
    answers: bool,
}

impl Database {
    fn land(&mut self) {
        if let Some(table) = self.on_its_way.take() {
            self.table = table;
        }
    }
}

impl Store for Rc<RefCell<Database>> {
    fn store(&mut self, Work { entries, .. }: Work<'_>, at: Timestamp) -> Result<Done> {
        let mut database = self.borrow_mut();
        // Its rooms are locked by the one that is on its way.
        database.land();
        let mut after = database.table.clone();
        let drafts: Vec<DraftRow<'_>> = entries.iter().map(|entry| draft(entry)).collect();
        let outcomes = after
            .append(&drafts, at)
            .into_iter()
            .map(Stored::from)
            .collect();
        match database.fate {
            Fate::Commits => {
                database.table = after;
                return Ok(Done {
                    stored: outcomes,
                    ..Done::default()
                });
            }
            Fate::Refused => return Err(Error::store_unavailable()),
            Fate::UnknownStored => database.table = after,
            Fate::UnknownLater => database.on_its_way = Some(after),
            Fate::UnknownLost => {}
        }
        Err(Error::outcome_unknown())
    }

    fn look_at(&mut self, doubts: &Doubts) -> Option<Vec<Seen>> {
        let mut database = self.borrow_mut();
        if !database.answers {
            return None;
        }
        database.land();
        let rooms = &database.table.rooms;
        let found = doubts.iter().filter_map(|(id, users)| {
            Some(Seen {
                room_id: *id,
                seq: rooms.get(id)?.unsigned_abs(),
                members: users.iter().copied().collect(),
            })
        });
        Some(found.collect())
    }
}

fn draft(entry: &Entry) -> DraftRow<'_> {
    let Change::Post(post) = &entry.change else {
        panic!("only messages come here");
    };
    DraftRow {
        room_id: entry.room,
        user_id: entry.actor.user_id,
        session_id: entry.actor.session_id,
        client_id: post.client_id.as_deref(),
        content: &post.body.sealed,
        reply_to: None,
        username: &entry.actor.username,
        thread: None,
        thread_only: false,
        candidates: &[],
        later: None,
    }
}

/// What the members of the rooms are told.
#[derive(Debug, Default)]
struct Heard {
    /// Room → the last number that was announced or told to be reached.
    last: HashMap<i64, u64>,
    /// Announced with its content.
    announced: Vec<(i64, u64, String)>,
    /// Room → told to have come this far.
    reached: HashMap<i64, u64>,
}

impl Heard {
    fn hear(&mut self, news: News) {
        match news {
            News::Committed(committed) => {
                for message in committed {
                    let last = self.last.insert(message.room_id, message.id);
                    assert!(last.is_none_or(|last| last < message.id), "out of order");
                    let Told::Posted(post, _) = message.news else {
                        panic!("only messages come here");
                    };
                    let content = post.body.sealed;
                    self.announced.push((message.room_id, message.id, content));
                }
            }
            News::CameIn { .. } => panic!("no one comes in by a message"),
            News::Noted(_) => panic!("no one sets anything"),
            News::Shown { .. } => panic!("no message asks for a room"),
            News::Reached { room_id, seq } => {
                let last = self.last.insert(room_id, seq);
                assert!(last.is_none_or(|last| last <= seq), "a room went back");
                self.reached.insert(room_id, seq);
            }
        }
    }

    fn covers(&self, row: &Row) -> bool {
        let id = row.id.unsigned_abs();
        let is_announced = self
            .announced
            .iter()
            .any(|told| *told == (row.room_id, id, row.content.clone()));
        is_announced || self.reached.get(&row.room_id).is_some_and(|seq| *seq >= id)
    }
}

/// A draft that came, and how it will be answered.
struct Sent {
    room_id: i64,
    user_id: i64,
    client_id: Option<String>,
    content: String,
    /// Through a login that has ended.
    is_ended: bool,
    receipt: oneshot::Receiver<Result<Outcome>>,
}

struct Run<F> {
    database: Rc<RefCell<Database>>,
    sender: mpsc::Sender<Queued>,
    writer: Writer<Rc<RefCell<Database>>, F>,
    told: Rc<RefCell<Heard>>,
    sent: Vec<Sent>,
}

/// A login that has ended.
const ENDED: i64 = 9;

fn begin() -> Run<impl FnMut(News)> {
    let mut table = Table::new(&[1, 2, 3], &[1, 2]);
    table.ended.insert(ENDED);
    let database = Rc::new(RefCell::new(Database {
        table,
        on_its_way: None,
        fate: Fate::Commits,
        answers: true,
    }));
    let (sender, queue) = mpsc::channel(1_000);
    let told = Rc::new(RefCell::new(Heard::default()));
    let (store, listener) = (Rc::clone(&database), Rc::clone(&told));
    let writer = Writer::new(
        store,
        (queue, Arc::default()),
        move |news| listener.borrow_mut().hear(news),
        Arc::default(),
    );
    Run {
        database,
        sender,
        writer,
        told,
        sent: Vec::new(),
    }
}

impl<F: FnMut(News)> Run<F> {
    fn come(&mut self, room_id: i64, user_id: i64, client_id: Option<u8>) {
        let (send, receipt) = oneshot::channel();
        let client_id = client_id.map(|n| format!("c{n}"));
        let content = format!("text {}", self.sent.len());
        let is_ended = self.sent.len() % 5 == 4;
        self.sent.push(Sent {
            room_id,
            user_id,
            client_id: client_id.clone(),
            content: content.clone(),
            is_ended,
            receipt,
        });
        let entry = Entry {
            room: room_id,
            actor: Actor {
                user_id,
                username: String::new(),
                session_id: if is_ended { ENDED } else { user_id },
            },
            change: Change::Post(Post {
                body: Body {
                    text: content.clone(),
                    sealed: content,
                },
                client_id,
                reply_to: None,
                thread: None,
                also_to_room: false,
                candidates: Vec::new(),
                later: None,
            }),
        };
        let waiting = Waiting {
            entry,
            since: Instant::now(),
            receipt: send,
        };
        let waiting = Queued::Entry(Box::new(waiting));
        self.sender.try_send(waiting).expect("there is room");
    }

    fn commit(&mut self, fate: Fate) {
        self.database.borrow_mut().fate = fate;
        let mut batch = Vec::new();
        while let Ok(Queued::Entry(waiting)) = self.writer.queue.try_recv() {
            batch.push(*waiting);
        }
        self.writer.commit(batch, Vec::new());
        self.database.borrow().table.check_numbers();
    }

    fn settle(&mut self, answers: bool) {
        self.database.borrow_mut().answers = answers;
        self.writer.settle_doubts();
    }

    /// Each answer is true of what is stored in the end.
    fn check_answers(&mut self) {
        let database = self.database.borrow();
        let table = &database.table;
        for sent in &mut self.sent {
            let answer = sent.receipt.try_recv().expect("everyone is answered");
            let room = table.rooms.get(&sent.room_id).filter(|_| sent.user_id != 3);
            let stored = |id: u64| {
                room.expect("a room");
                let room_id = sent.room_id;
                let mut rows = table.rows.iter();
                rows.find(|row| (row.room_id, row.id.unsigned_abs()) == (room_id, id))
                    .expect("what is acked is stored")
            };
            let copies = table.rows.iter().filter(|row| row.content == sent.content);
            let copies = copies.count();
            assert!(
                !sent.is_ended || answer.is_err() && copies == 0,
                "{answer:?}"
            );
            match answer {
                Ok(Outcome::Applied { id, .. }) => {
                    let row = stored(id);
                    assert_eq!((&row.content, row.user_id), (&sent.content, sent.user_id));
                    assert_eq!(row.client_id, sent.client_id);
                    assert_eq!(copies, 1);
                }
                Ok(Outcome::Repeat { id, content, .. }) => {
                    let row = stored(id);
                    assert_eq!(
                        (Some(&row.content), &row.client_id),
                        (content.as_ref(), &sent.client_id)
                    );
                    assert!(sent.client_id.is_some());
                    assert_eq!(copies, 0, "the one before is the one");
                }
                Ok(Outcome::Unchanged { .. } | Outcome::Exists { .. }) => {
                    panic!("a message changes something")
                }
                Err(error) if error == Error::outcome_unknown() => assert!(copies <= 1),
                Err(error) if error == Error::no_such_room() => {
                    assert!(room.is_none());
                    assert_eq!(copies, 0);
                }
                Err(error) if error == Error::invalid_token() => {
                    assert!(sent.is_ended);
                    assert_eq!(copies, 0, "its login has ended");
                }
                Err(error) => {
                    assert_eq!(error, Error::store_unavailable());
                    assert_eq!(copies, 0, "what is refused is not stored");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_that_is_stored_is_told_and_every_answer_is_true(steps in steps()) {
        let mut run = begin();
        for step in steps {
            match step {
                Step::Come(drafts) => {
                    for (room_id, user_id, client_id) in drafts {
                        run.come(room_id, user_id, client_id);
                    }
                }
                Step::Commit(fate) => run.commit(fate),
                Step::Settle(answers) => run.settle(answers),
            }
        }
        // In the end the database answers again.
        run.commit(Fate::Commits);
        run.settle(true);
        run.database.borrow_mut().land();
        let (database, told) = (run.database.borrow(), run.told.borrow());
        for row in &database.table.rows {
            prop_assert!(told.covers(row), "{row:?} was never told");
        }
        for (room_id, id, content) in &told.announced {
            let is_stored = |row: &Row| {
                (row.room_id, row.id.unsigned_abs(), &row.content) == (*room_id, *id, content)
            };
            prop_assert!(database.table.rows.iter().any(is_stored), "{content} was told too early");
        }
        drop((database, told));
        run.check_answers();
    }
}
