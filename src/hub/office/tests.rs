//! An office by itself: what comes for a socket reaches it, or its session, in order, and never another.

use bytes::Bytes;

use super::*;

/// A socket of the test, which notes what happens to it.
#[derive(Default)]
struct Noted {
    /// Whether it takes everything in.
    is_idle: Cell<bool>,
    seen: RefCell<Vec<String>>,
}

impl Noted {
    fn new(is_idle: bool) -> Rc<Self> {
        let new = Self::default();
        new.is_idle.set(is_idle);
        Rc::new(new)
    }

    fn note(&self, what: &str, delivery: &Deliver) {
        let Deliver::Notice(frame) = delivery else {
            panic!("only notices are sent here");
        };
        let text = String::from_utf8_lossy(frame).into_owned();
        self.seen.borrow_mut().push(format!("{what} {text}"));
    }

    fn take(&self) -> Vec<String> {
        self.seen.take()
    }
}

impl LocalSocket for Noted {
    fn take_in(&self, delivery: &Deliver) -> bool {
        if self.is_idle.get() {
            self.note("takes", delivery);
        }
        self.is_idle.get()
    }

    fn hand_over(&self, delivery: Deliver) {
        self.note("is told", &delivery);
    }

    fn flush(&self) {
        self.seen.borrow_mut().push("writes".into());
    }
}

fn notice(text: &'static str) -> Deliver {
    Deliver::Notice(Bytes::from_static(text.as_bytes()))
}

fn sort(desks: &Desks, mail: Vec<(Desk, Deliver)>) {
    for entry in desks.sort(mail.into_iter()) {
        entry.flush();
    }
}

#[test]
fn what_comes_together_for_a_socket_leaves_in_one_write() {
    let desks = Desks::default();
    let (idle, busy) = (Noted::new(true), Noted::new(false));
    let at = [
        desks.add(Rc::<Noted>::clone(&idle)),
        desks.add(Rc::<Noted>::clone(&busy)),
    ];
    let mail = ["a", "b"].map(|text| at.map(|desk| (desk, notice(text))));
    sort(&desks, mail.concat());
    assert_eq!(idle.take(), ["takes a", "takes b", "writes"]);
    assert_eq!(busy.take(), ["is told a", "is told b"]);
    // The next time it is flushed again.
    sort(&desks, vec![(at[0], notice("c"))]);
    assert_eq!(idle.take(), ["takes c", "writes"]);
}

#[test]
fn what_was_on_its_way_to_one_that_has_gone_comes_to_no_other() {
    let desks = Rc::<Desks>::default();
    let gone = Noted::new(true);
    let desk = desks.add(Rc::<Noted>::clone(&gone));
    drop(KeptDesk {
        desk,
        desks: Rc::clone(&desks),
    });
    let next = Noted::new(true);
    let its = desks.add(Rc::<Noted>::clone(&next));
    assert_eq!(its.at, desk.at, "the place is used again");
    sort(
        &desks,
        vec![(desk, notice("secret")), (its, notice("hello"))],
    );
    assert!(gone.take().is_empty());
    assert_eq!(next.take(), ["takes hello", "writes"]);
    // Whoever has gone takes no one else's desk away.
    desks.remove(desk);
    sort(&desks, vec![(its, notice("again"))]);
    assert_eq!(next.take(), ["takes again", "writes"]);
}

#[actix::test]
async fn the_hub_sends_each_office_one_parcel() {
    let (one, other) = (Office::open(), Office::open());
    let (alice, bob) = (Noted::new(true), Noted::new(true));
    let (_alices, at_alice) = one.enter(Rc::<Noted>::clone(&alice));
    let (_bobs, at_bob) = other.enter(Rc::<Noted>::clone(&bob));
    let mut mailroom = Mailroom::default();
    let slots = [at_alice, at_bob].map(|address| mailroom.slot(address));
    for slot in &slots {
        for text in ["a", "b"] {
            assert!(slot.offer(notice(text)));
        }
    }
    tokio::task::yield_now().await;
    assert!(alice.take().is_empty(), "it is not sent yet");
    mailroom.send_out();
    while bob.seen.borrow().len() < 3 || alice.seen.borrow().len() < 3 {
        tokio::task::yield_now().await;
    }
    for socket in [alice, bob] {
        assert_eq!(socket.take(), ["takes a", "takes b", "writes"]);
    }
}
