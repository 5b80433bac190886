//! The feed by itself, one case after the other; [`whole`] runs it together with the hub.

mod whole;

use proptest::prelude::*;

use super::*;

/// One step of a run. The numbers are cut to what is possible at that moment.
#[derive(Debug, Clone)]
enum Step {
    /// A change is committed and announced.
    Commit,
    /// A change is committed and no one is told: the announcement was lost.
    CommitInSilence,
    /// The members are told how far the room has come.
    Reached,
    /// A change is committed, and the hub leaves it out because too much is waiting.
    CommitAndMiss,
    /// The client asks for everything after this share of the log (over 100: the future).
    Sync(u64),
    /// The reading that is under way comes back, with as many changes as this at most.
    PageComes(usize),
    /// The reading that is under way fails.
    ReadingFails,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Commit),
        1 => Just(Step::CommitInSilence),
        1 => Just(Step::Reached),
        1 => Just(Step::CommitAndMiss),
        2 => (0..120u64).prop_map(Step::Sync),
        5 => (1..9usize).prop_map(Step::PageComes),
        1 => Just(Step::ReadingFails),
    ];
    prop::collection::vec(step, 0..120)
}

/// The server, the log and a client that believes what it is told.
struct Run {
    log: u64,
    feed: Feed<u64>,
    /// What the client has, as far as it knows.
    client: u64,
    before_sync: u64,
    reading: Option<u64>,
    synced: usize,
    syncs: usize,
}

impl Run {
    fn new() -> Self {
        Self {
            log: 0,
            feed: Feed::new(0, 4),
            client: 0,
            before_sync: 0,
            reading: None,
            synced: 0,
            syncs: 0,
        }
    }

    fn carry_out(&mut self, actions: Vec<Action<u64>>) {
        for action in actions {
            match action {
                Action::Send(seq) => {
                    assert_eq!(seq, self.client + 1, "a hole or a double");
                    self.client = seq;
                }
                Action::Read(since) | Action::ReadLater(since) => {
                    assert!(self.reading.is_none(), "two readings at once");
                    self.reading = Some(since);
                }
                Action::Lag(seq) => {
                    assert!(seq > self.client, "told of nothing");
                    self.client = seq;
                }
                Action::Synced { seq, complete } => {
                    assert_eq!(
                        seq, self.client,
                        "synced up to something else than was sent"
                    );
                    self.synced += 1;
                    if !complete {
                        // The client reads the rest page by page; what is live begins behind the page's moment.
                        self.client = self.feed.sent().max(seq);
                    }
                }
                Action::CursorAhead | Action::SyncFailed => {
                    self.client = self.before_sync;
                    self.synced += 1;
                }
                Action::Overrun => panic!("nothing here has no number"),
            }
        }
    }

    fn page(&mut self, most: usize) {
        let Some(since) = self.reading.take() else {
            return;
        };
        let all: Vec<_> = (since + 1..=self.log).map(|seq| (seq, seq)).collect();
        let complete = all.len() <= most;
        let changes = all.into_iter().take(most).collect();
        let mut actions = Vec::new();
        self.feed.page(
            Page {
                since,
                changes,
                last_seq: self.log,
                complete,
            },
            &mut actions,
        );
        // An incomplete answer is followed by what is live behind it: told in the order of the actions.
        let incomplete = actions.iter().position(|action| {
            matches!(
                action,
                Action::Synced {
                    complete: false,
                    ..
                }
            )
        });
        if let Some(at) = incomplete {
            let rest = actions.split_off(at + 1);
            self.carry_out(actions);
            self.client = self.log;
            self.carry_out(rest);
        } else {
            self.carry_out(actions);
        }
    }

    fn step(&mut self, step: &Step) {
        let mut actions = Vec::new();
        match step {
            Step::Commit => {
                self.log += 1;
                self.feed.live(self.log, self.log, &mut actions);
            }
            Step::CommitInSilence => self.log += 1,
            Step::Reached => self.feed.reached(self.log, &mut actions),
            Step::CommitAndMiss => {
                self.log += 1;
                self.feed.missed(self.log, &mut actions);
            }
            Step::Sync(share) => {
                let since = self.log * share / 100;
                if self.feed.sync(since, &mut actions) {
                    self.syncs += 1;
                    self.before_sync = self.client;
                    self.client = since;
                }
            }
            Step::PageComes(most) => return self.page(*most),
            Step::ReadingFails => {
                if self.reading.take().is_some() {
                    self.feed.failed(&mut actions);
                }
            }
        }
        self.carry_out(actions);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_sees_a_hole_or_a_double_and_everyone_arrives(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        // One more announced change shows whatever was lost in silence; then everything under way comes back.
        run.step(&Step::Commit);
        while run.reading.is_some() {
            run.page(1_000);
        }
        prop_assert_eq!(run.client, run.log);
        prop_assert_eq!(run.synced, run.syncs, "every sync is answered once");
    }

    #[test]
    fn whoever_is_no_member_any_more_is_sent_or_told_everything_up_to_that_and_nothing_above(
        steps in steps(),
        above in 0..3u64,
    ) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        // The change that ends the membership, and what another may have been told behind it.
        run.step(&Step::Commit);
        let last = run.log;
        for _ in 0..above {
            run.step(&Step::Commit);
        }
        // A cursor in the future was about to be refused.
        let catching = run.feed.catching.as_ref();
        if run.client > last && catching.is_some_and(|catching| catching.asked.is_some()) {
            run.client = run.before_sync;
        }
        let sent = run.client;
        let mut actions = Vec::new();
        run.feed.end(last, &mut actions);
        run.carry_out(actions);
        prop_assert_eq!(run.client, last.max(sent));
        prop_assert!(!run.feed.is_catching_up());
    }
}

#[test]
fn a_hole_before_the_end_that_cannot_be_filled_is_told() {
    let (mut feed, mut actions) = (Feed::new(5, 2), Vec::new());
    assert!(feed.sync(3, &mut actions));
    feed.live(6, 6, &mut actions);
    feed.live(7, 7, &mut actions);
    actions.clear();
    feed.end(7, &mut actions);
    let told = [Action::Lag(5), Action::Send(6), Action::Send(7)];
    assert_eq!(std::mem::take(&mut actions), told);
    // What did not fit is missing, too.
    assert!(feed.sync(7, &mut actions));
    for seq in 8..=10 {
        feed.live(seq, seq, &mut actions);
    }
    actions.clear();
    feed.end(10, &mut actions);
    let told = [Action::Send(8), Action::Send(9), Action::Lag(10)];
    assert_eq!(actions, told);
}

#[test]
fn a_client_that_was_away_gets_what_it_missed_and_then_what_is_live() {
    let (mut feed, mut actions) = (Feed::new(5, 9), Vec::new());
    assert!(feed.sync(3, &mut actions));
    feed.live(6, 6, &mut actions);
    feed.live(7, 7, &mut actions);
    assert_eq!(
        std::mem::take(&mut actions),
        [Action::Read(3)],
        "live changes wait for the page"
    );
    feed.page(
        Page {
            since: 3,
            changes: vec![(4, 4), (5, 5), (6, 6)],
            last_seq: 6,
            complete: true,
        },
        &mut actions,
    );
    let sent = [4, 5, 6, 7].map(Action::Send);
    assert_eq!(actions[..4], sent);
    assert_eq!(
        actions[4..],
        [Action::Synced {
            seq: 7,
            complete: true
        }]
    );
}

#[test]
fn a_change_that_was_committed_but_never_announced_is_found_by_the_next() {
    let (mut feed, mut actions) = (Feed::new(1, 9), Vec::new());
    feed.live(3, 3, &mut actions);
    assert_eq!(std::mem::take(&mut actions), [Action::Read(1)]);
    feed.page(
        Page {
            since: 1,
            changes: vec![(2, 2), (3, 3)],
            last_seq: 3,
            complete: true,
        },
        &mut actions,
    );
    assert_eq!(actions, [2, 3].map(Action::Send));
}

#[test]
fn only_the_next_change_of_a_live_room_goes_past_the_session() {
    let (mut feed, mut actions) = (Feed::<u64>::new(3, 2), Vec::new());
    assert_eq!(feed.pass(5), None, "a hole");
    assert_eq!((feed.pass(3), feed.pass(4)), (Some(false), Some(true)));
    assert_eq!(feed.sent(), 4);
    assert!(feed.sync(4, &mut actions));
    assert_eq!(feed.pass(5), None, "it catches up");
    assert_eq!(feed.sent(), 4);
}

/// What is read may be older: a setting that it undid would stay undone.
#[test]
fn what_has_no_number_comes_behind_what_is_being_read() {
    const SETTINGS: [u64; 2] = [101, 102];
    let page = |since, last_seq| Page {
        since,
        changes: (since + 1..=last_seq).map(|seq| (seq, seq)).collect(),
        last_seq,
        complete: true,
    };
    let mut actions = Vec::new();
    let mut feed = Feed::come_in(1, 2, &mut actions);
    assert_eq!(std::mem::take(&mut actions), [Action::Read(1)]);
    for setting in SETTINGS {
        feed.aside(setting, &mut actions);
    }
    feed.live(4, 4, &mut actions);
    assert_eq!(actions, [], "the room is being read");
    // The page ends before what came meanwhile: there is a hole, which is read in its turn.
    feed.page(page(1, 2), &mut actions);
    assert_eq!(
        std::mem::take(&mut actions),
        [Action::Send(2), Action::Read(2)]
    );
    feed.failed(&mut actions);
    assert_eq!(std::mem::take(&mut actions), [Action::ReadLater(2)]);
    feed.page(page(2, 4), &mut actions);
    let sent = [3, 4, 101, 102].map(Action::Send);
    assert_eq!(std::mem::take(&mut actions), sent);
    feed.aside(103, &mut actions);
    assert_eq!(
        std::mem::take(&mut actions),
        [Action::Send(103)],
        "it is live"
    );

    // Also where a `sync` comes to nothing.
    assert!(feed.sync(4, &mut actions));
    feed.aside(104, &mut actions);
    feed.failed(&mut actions);
    let ended = [Action::Read(4), Action::SyncFailed, Action::Send(104)];
    assert_eq!(std::mem::take(&mut actions), ended);

    // More than is held is not left out in silence.
    assert!(feed.sync(4, &mut actions));
    for setting in 105..108 {
        feed.aside(setting, &mut actions);
    }
    assert_eq!(actions, [Action::Read(4), Action::Overrun]);
}
