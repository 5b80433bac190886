//! The end of a socket by itself: whichever way a frame goes, the client gets it once and in its order.

use std::collections::VecDeque;

use actix::{Actor, Context, Handler};
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{
    chat::{Caller, rooms::Room},
    hub::frame,
    protocol::close,
};

const ROOM: i64 = 1;

/// The session of the test: keeps what it is told until a step has it handle something.
struct Ear(Rc<RefCell<VecDeque<Deliver>>>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Ear {
    type Result = ();

    fn handle(&mut self, delivery: Deliver, _: &mut Context<Self>) {
        self.0.borrow_mut().push_back(delivery);
    }
}

/// A connection that takes so many bytes more, and what it has taken.
#[derive(Default)]
struct Pipe {
    room: Cell<usize>,
    is_writing: Cell<bool>,
    taken: RefCell<Vec<u8>>,
}

impl Door for Pipe {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let fitting = bytes.len().min(self.room.get());
        if fitting == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.room.set(self.room.get() - fitting);
        self.taken.borrow_mut().extend_from_slice(&bytes[..fitting]);
        Ok(fitting)
    }

    fn is_writing(&self) -> bool {
        self.is_writing.get()
    }
}

struct Stage {
    end: Rc<LocalEnd>,
    heard: Rc<RefCell<VecDeque<Deliver>>>,
    pipe: Rc<Pipe>,
    /// What the connection's task has taken over and not written yet.
    chunk: Option<Bytes>,
    last: u64,
    _open: OpenDoor,
}

impl Stage {
    fn new(dialect: Dialect) -> Self {
        let caller = Caller {
            user_id: 1,
            username: "alice".into(),
            session_id: 1,
        };
        let rooms = vec![ROOM];
        let end = Rc::new(LocalEnd::new(
            dialect,
            &Admitted {
                caller,
                rooms,
                unopened: Vec::new(),
            },
        ));
        let room = Room {
            id: ROOM,
            key: "general".into(),
            last_seq: 0,
            last_message_id: 0,
        };
        *end.rooms.borrow_mut() = Rooms::new([room], Vec::new());
        let heard = Rc::default();
        end.set_mailbox(Ear(Rc::clone(&heard)).start().recipient());
        end.is_open.set(true);
        let pipe = Rc::<Pipe>::default();
        let door = Rc::<Pipe>::clone(&pipe);
        let open = end.open_door(door, Waker::noop().clone());
        Self {
            end,
            heard,
            pipe,
            chunk: None,
            last: 0,
            _open: open,
        }
    }

    fn next(&mut self) -> Deliver {
        self.last += 1;
        Deliver::Change {
            room_id: ROOM,
            seq: self.last,
            frame: Bytes::from(format!("{} ", self.last)),
            is_post: true,
        }
    }

    /// As the office does it.
    fn deliver(&self, deliveries: Vec<Deliver>) {
        for delivery in deliveries {
            if !self.end.take_in(&delivery) {
                self.end.hand_over(delivery);
            }
        }
        self.end.flush();
    }

    /// As the session does it. It runs only when nothing waits to go out.
    async fn handle(&self) {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        if self.chunk.is_some() || !self.end.outgoing.is_empty() {
            return;
        }
        let delivery = self.heard.borrow_mut().pop_front();
        if let Some(Deliver::Change {
            room_id,
            seq,
            frame,
            ..
        }) = delivery
        {
            self.end.note_handled();
            let passed = (self.end.rooms.borrow_mut()).pass(room_id, seq, (Dialect::Full, true));
            assert_eq!(passed, Passed::Shown, "{seq}");
            self.end.outgoing.write(frame);
        }
    }

    /// As the task of the connection does it, which takes what waits and writes as much as fits.
    fn carry(&mut self) {
        loop {
            let next = self.chunk.take().or_else(|| self.end.outgoing.take());
            let Some(mut chunk) = next else {
                return self.pipe.is_writing.set(false);
            };
            self.pipe.is_writing.set(true);
            chunk.advance(self.pipe.try_write(&chunk).unwrap_or(0));
            if !chunk.is_empty() {
                self.chunk = Some(chunk);
                return;
            }
        }
    }

    fn taken(&self) -> String {
        String::from_utf8_lossy(&self.pipe.taken.borrow()).into_owned()
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// The hub has so many changes for this socket, which its office gets together.
    Deliver(usize),
    /// The client reads so many bytes.
    Read(usize),
    /// The task of the connection is woken.
    Carry,
    /// The session handles something.
    Handle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..5usize).prop_map(Step::Deliver),
        3 => (1..12usize).prop_map(Step::Read),
        2 => Just(Step::Carry),
        2 => Just(Step::Handle),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_change_comes_once_and_in_order_whichever_way_it_goes(steps in steps()) {
        actix::System::new().block_on(async {
            let mut stage = Stage::new(Dialect::Full);
            for step in steps {
                match step {
                    Step::Deliver(count) => {
                        let changes = (0..count).map(|_| stage.next()).collect();
                        stage.deliver(changes);
                    }
                    Step::Read(bytes) => stage.pipe.room.set(stage.pipe.room.get() + bytes),
                    Step::Carry => stage.carry(),
                    Step::Handle => stage.handle().await,
                }
            }
            stage.pipe.room.set(usize::MAX);
            for _ in 0..=stage.last {
                stage.carry();
                stage.handle().await;
            }
            stage.carry();
            let all: Vec<String> = (1..=stage.last).map(|seq| format!("{seq} ")).collect();
            let all = all.concat();
            assert_eq!(stage.taken(), all);
            // From here on nothing waits, and the session is not asked any more.
            let next = stage.next();
            stage.deliver(vec![next]);
            assert_eq!(stage.taken(), format!("{all}{} ", stage.last));
            assert!(stage.end.outgoing.is_empty());
        });
    }
}

#[actix::test]
async fn what_the_session_has_to_see_first_is_not_overtaken() {
    let mut stage = Stage::new(Dialect::Full);
    stage.pipe.room.set(1_000);
    let left = Deliver::Left {
        room_id: ROOM,
        seq: 1,
    };
    let (first, second) = (stage.next(), stage.next());
    stage.deliver(vec![first, left, second]);
    assert_eq!(stage.taken(), "1 ");
    tokio::task::yield_now().await;
    assert_eq!(
        stage.heard.borrow().len(),
        2,
        "the end of the membership, and what follows it"
    );
}

#[actix::test]
async fn a_socket_that_closes_is_sent_nothing_more() {
    let mut stage = Stage::new(Dialect::Full);
    stage.pipe.room.set(1_000);
    let first = stage.next();
    assert!(stage.end.take_in(&first));
    // Its session closes it before what was taken in has left.
    stage.end.is_open.set(false);
    stage.end.outgoing.write(frame::close(close::REVOKED, ""));
    let second = stage.next();
    assert!(!stage.end.take_in(&second));
    stage.end.flush();
    let closed = frame::close(close::REVOKED, "");
    assert_eq!(stage.pipe.taken.take(), [b"1 ", &closed[..]].concat());
}

#[actix::test]
async fn an_old_client_is_shown_what_it_can_show() {
    let stage = Stage::new(Dialect::Core);
    stage.pipe.room.set(1_000);
    let change = |seq, is_post| Deliver::Change {
        room_id: ROOM,
        seq,
        frame: Bytes::from(format!("{seq} ")),
        is_post,
    };
    stage.deliver(vec![change(1, true), change(2, false), change(3, true)]);
    assert_eq!(stage.taken(), "1 3 ");
    // What was part of what it has read, and a hole: that is for the session.
    assert!(stage.end.take_in(&change(3, true)));
    assert!(!stage.end.take_in(&change(5, true)));
    stage.end.flush();
    assert_eq!(stage.taken(), "1 3 ");
}

/// What is read may be older, and tells the client of the whole room.
#[actix::test]
async fn what_was_set_in_a_room_that_is_being_read_is_for_the_session() {
    let stage = Stage::new(Dialect::Full);
    stage.pipe.room.set(1_000);
    let own = |room_id, text: &'static str| Deliver::Own {
        room_id,
        frame: Bytes::from_static(text.as_bytes()),
    };
    assert!(stage.end.take_in(&own(ROOM, "a")));
    stage.end.rooms.borrow_mut().begin_reading(ROOM);
    assert!(stage.end.take_in(&own(ROOM + 1, "b")), "another room");
    assert!(!stage.end.take_in(&own(ROOM, "c")));
    stage.end.flush();
    assert_eq!(stage.taken(), "ab");
}

/// There the hub counts it, and bounds it.
#[actix::test]
async fn what_a_client_does_not_take_waits_for_the_session() {
    for is_carried in [false, true] {
        let mut stage = Stage::new(Dialect::Full);
        stage.pipe.room.set(1);
        let changes = (0..3).map(|_| stage.next()).collect();
        stage.deliver(changes);
        assert_eq!(stage.taken(), "1", "what came together is on its way");
        if is_carried {
            stage.carry();
            assert!(stage.chunk.is_some(), "the connection still writes");
        }
        let next = stage.next();
        stage.deliver(vec![next]);
        tokio::task::yield_now().await;
        assert_eq!(stage.heard.borrow().len(), 1, "{is_carried}");
    }
}
