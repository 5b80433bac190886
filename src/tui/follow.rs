//! Following a room: whatever comes — live frames, replays, pages — leaves here once, in order, without a hole.
//! Pure: it says what to ask the server for, and never asks itself.

use std::collections::BTreeMap;

use crate::protocol::{
    command::{Command, Request, Sync},
    event::{self, Connected, ErrorFrame, SyncedRoom},
    views::Message,
};

/// The `ref` of our `sync` frames.
const SYNC: &str = "sync";
/// Messages a page holds at most.
pub const PAGE: usize = 200;
/// Messages kept while those before them are fetched. Beyond it, what comes is dropped, and fetched again later.
const MAX_AHEAD: usize = 2_000;

/// What is asked of the server and not yet answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Latest,
    Sync,
    Pages,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Fetch the latest page, then call [`Follower::latest`].
    FetchLatest,
    /// Send this frame, a `sync`.
    Say(Request),
    /// Ask [`Follower::again`] after a while.
    Pause,
    /// Fetch the page of changes after this number, then call [`Follower::page`].
    FetchSince(u64),
    /// These messages are next, in this order.
    Show(Vec<Message>),
    /// History was replaced: forget what was shown.
    Forget,
}

/// Where a reader is in one room.
#[derive(Debug, Clone)]
pub struct Follower {
    room: String,
    epoch: Option<String>,
    /// Everything up to here has been shown; `None` before the first page.
    cursor: Option<u64>,
    /// The room's last change when the socket opened.
    floor: u64,
    /// The latest change that the server has told of without sending it.
    known: u64,
    ahead: BTreeMap<u64, Message>,
    asked: Asked,
    visit: u64,
}

impl Follower {
    /// A reader that has seen nothing yet.
    #[must_use]
    pub fn new(room: &str) -> Self {
        Self {
            room: room.to_owned(),
            epoch: None,
            cursor: None,
            floor: 0,
            known: 0,
            ahead: BTreeMap::new(),
            asked: Asked::Nothing,
            visit: 0,
        }
    }

    /// Which socket this is, counted. What was fetched for an earlier one must not be used for this one: it may end
    /// before this one begins.
    #[must_use]
    pub fn visit(&self) -> u64 {
        self.visit
    }

    /// A socket has opened: catch up.
    pub fn connected(&mut self, hello: &Connected) -> Vec<Step> {
        self.visit += 1;
        self.ahead.clear();
        self.known = 0;
        let room = hello.rooms.iter().find(|room| room.name == self.room);
        self.floor = room.map_or(0, |room| room.seq);
        let is_same = self.epoch.as_deref() == Some(hello.epoch.as_str());
        // A cursor beyond the room's end is from another history too, whatever its name says.
        let is_same = is_same && self.cursor.is_none_or(|cursor| cursor <= self.floor);
        if is_same && self.cursor.is_some() {
            return self.ask_sync();
        }
        let was_somewhere = self.epoch.replace(hello.epoch.clone()).is_some();
        self.start_afresh(was_somewhere && !is_same)
    }

    fn start_afresh(&mut self, forget: bool) -> Vec<Step> {
        self.ahead.clear();
        self.cursor = None;
        self.asked = Asked::Latest;
        let mut steps = vec![Step::FetchLatest];
        if forget {
            steps.insert(0, Step::Forget);
        }
        steps
    }

    /// A message came on the socket.
    pub fn message(&mut self, message: event::Message) -> Vec<Step> {
        if message.room != self.room {
            return Vec::new();
        }
        let Some(cursor) = self.cursor else {
            self.keep(into_view(message));
            return Vec::new();
        };
        if message.seq <= cursor {
            return Vec::new();
        }
        self.keep(into_view(message));
        let mut steps = self.show_contiguous();
        if !self.ahead.is_empty() && self.asked == Asked::Nothing {
            steps.extend(self.ask_sync());
        }
        steps
    }

    /// The answer to `sync` is complete, or has to be read page by page.
    pub fn synced(&mut self, room: SyncedRoom) -> Vec<Step> {
        let Some(cursor) = self.cursor else {
            return Vec::new();
        };
        if !room.complete {
            self.asked = Asked::Pages;
            return vec![Step::FetchSince(cursor)];
        }
        self.asked = Asked::Nothing;
        self.reach(room.seq)
    }

    /// The server could not send everything up to `seq`.
    pub fn lag(&mut self, room: &str, seq: u64) -> Vec<Step> {
        if room != self.room {
            return Vec::new();
        }
        self.known = self.known.max(seq);
        if self.asked == Asked::Nothing {
            return self.reach(0);
        }
        // What is asked for already may bring it; if not, it is asked for then.
        Vec::new()
    }

    /// An error frame: `None` when it is not about us.
    pub fn refused(&mut self, error: &ErrorFrame) -> Option<Vec<Step>> {
        if error.reference.as_deref() != Some(SYNC) {
            return None;
        }
        let is_from_another_history = matches!(&*error.code, "epoch_changed" | "cursor_ahead");
        Some(if is_from_another_history {
            self.start_afresh(true)
        } else {
            vec![Step::Pause]
        })
    }

    /// The latest page, oldest first.
    pub fn latest(&mut self, page: Vec<Message>) -> Vec<Step> {
        if self.asked != Asked::Latest {
            return Vec::new();
        }
        self.asked = Asked::Nothing;
        let last = page.iter().map(|message| message.seq).max().unwrap_or(0);
        let mut steps = vec![Step::Show(page)];
        self.cursor = Some(last);
        steps.extend(self.reach(self.floor.max(last)));
        steps
    }

    /// A page of changes, in the order of their numbers; `more`: there are others after it.
    pub fn page(&mut self, mut page: Vec<Message>, more: bool) -> Vec<Step> {
        let (Asked::Pages, Some(cursor)) = (self.asked, self.cursor) else {
            return Vec::new();
        };
        page.retain(|message| message.seq > cursor);
        page.sort_by_key(|message| message.seq);
        let reached = page.last().map_or(cursor, |message| message.seq);
        self.cursor = Some(reached);
        let mut steps = vec![Step::Show(page)];
        if !more || reached == cursor {
            self.asked = Asked::Nothing;
            steps.extend(self.reach(reached));
        } else {
            steps.push(Step::FetchSince(reached));
        }
        steps
    }

    /// A request has failed: what to ask again, once some time has passed.
    pub fn again(&mut self) -> Vec<Step> {
        match (self.asked, self.cursor) {
            (Asked::Latest, _) => vec![Step::FetchLatest],
            (Asked::Pages, Some(cursor)) => vec![Step::FetchSince(cursor)],
            (Asked::Sync, Some(_)) => self.ask_sync(),
            _ => Vec::new(),
        }
    }

    fn ask_sync(&mut self) -> Vec<Step> {
        self.asked = Asked::Sync;
        let sync = Sync {
            rooms: BTreeMap::from([(self.room.clone(), self.cursor.unwrap_or(0))]),
            epoch: self.epoch.clone(),
        };
        vec![Step::Say(Request::with_ref(SYNC, Command::Sync(sync)))]
    }

    fn keep(&mut self, message: Message) {
        if self.ahead.len() < MAX_AHEAD {
            self.ahead.insert(message.seq, message);
        }
    }

    /// Everything up to `seq` has come: shows what was kept of it and what follows without a hole.
    fn reach(&mut self, seq: u64) -> Vec<Step> {
        let cursor = self.cursor.unwrap_or(0);
        let later = self.ahead.split_off(&(seq + 1));
        let reached = std::mem::replace(&mut self.ahead, later);
        let ready: Vec<Message> = reached.into_values().filter(|m| m.seq > cursor).collect();
        self.cursor = Some(cursor.max(seq));
        let mut steps = Vec::new();
        if !ready.is_empty() {
            steps.push(Step::Show(ready));
        }
        steps.extend(self.show_contiguous());
        let is_behind = self.cursor.is_some_and(|cursor| cursor < self.known);
        if !self.ahead.is_empty() || is_behind {
            steps.extend(self.ask_sync());
        }
        steps
    }

    fn show_contiguous(&mut self) -> Vec<Step> {
        let mut ready = Vec::new();
        let mut cursor = self.cursor.unwrap_or(0);
        while let Some(message) = self.ahead.remove(&(cursor + 1)) {
            cursor += 1;
            ready.push(message);
        }
        self.cursor = Some(cursor);
        if ready.is_empty() {
            Vec::new()
        } else {
            vec![Step::Show(ready)]
        }
    }
}

/// A message of the socket in the shape that history has.
fn into_view(message: event::Message) -> Message {
    Message {
        id: message.id,
        seq: message.seq,
        room: message.room,
        user_id: message.user_id,
        username: message.username,
        content: message.content,
        created_at: message.timestamp,
        client_id: message.client_id,
        unreadable: message.unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{event::RoomState, limits::Limits, time};
    use proptest::prelude::*;

    fn hello(epoch: &str, seq: u64) -> Connected {
        Connected {
            user_id: 1,
            username: "alice".into(),
            session: 1,
            epoch: epoch.into(),
            heartbeat_ms: 25_000,
            limits: Limits::default(),
            rooms: vec![RoomState {
                name: "general".into(),
                seq,
            }],
            online: Vec::new(),
        }
    }

    fn live(seq: u64) -> event::Message {
        event::Message {
            room: "general".into(),
            id: seq,
            seq,
            user_id: 2,
            username: "bob".into(),
            content: format!("message {seq}"),
            timestamp: time::now(),
            client_id: None,
            unreadable: false,
        }
    }

    fn stored(seqs: impl IntoIterator<Item = u64>) -> Vec<Message> {
        seqs.into_iter().map(|seq| into_view(live(seq))).collect()
    }

    fn shown(steps: &[Step]) -> Vec<u64> {
        let ids = |step: &Step| match step {
            Step::Show(messages) => messages.iter().map(|m| m.seq).collect(),
            _ => Vec::new(),
        };
        steps.iter().flat_map(ids).collect()
    }

    fn asked_sync(steps: &[Step]) -> Option<&Sync> {
        steps.iter().find_map(|step| match step {
            Step::Say(Request {
                command: Command::Sync(sync),
                ..
            }) => Some(sync),
            _ => None,
        })
    }

    /// A reader that has seen everything up to `seq`.
    fn reader(seq: u64) -> Follower {
        let mut follower = Follower::new("general");
        assert_eq!(follower.connected(&hello("e", seq)), [Step::FetchLatest]);
        follower.latest(stored(1..=seq));
        follower
    }

    #[test]
    fn what_is_written_while_the_first_page_loads_is_shown_once_and_in_order() {
        let mut follower = Follower::new("general");
        follower.connected(&hello("e", 2));
        assert_eq!(follower.message(live(3)), []);
        assert_eq!(follower.message(live(4)), []);
        // The page was read after 3 was stored, and before 4 was.
        assert_eq!(shown(&follower.latest(stored(1..=3))), [1, 2, 3, 4]);
        assert_eq!(shown(&follower.message(live(5))), [5]);
    }

    #[test]
    fn a_return_asks_for_what_was_missed_and_mixes_it_with_what_is_live() {
        let mut follower = reader(2);
        let steps = follower.connected(&hello("e", 5));
        let sync = asked_sync(&steps).expect("a sync");
        assert_eq!(
            (sync.rooms["general"], sync.epoch.as_deref()),
            (2, Some("e"))
        );
        assert_eq!(
            shown(&follower.message(live(6))),
            [0; 0],
            "not before what was missed"
        );
        let replay: Vec<u64> = [3, 4, 5]
            .into_iter()
            .flat_map(|seq| shown(&follower.message(live(seq))))
            .collect();
        assert_eq!(replay, [3, 4, 5, 6]);
        assert_eq!(follower.message(live(4)), [], "seen already");
        let synced = SyncedRoom {
            seq: 6,
            complete: true,
        };
        assert_eq!(follower.synced(synced), []);
    }

    #[test]
    fn a_long_absence_is_read_page_by_page() {
        let mut follower = reader(2);
        follower.connected(&hello("e", 300));
        let page = SyncedRoom {
            seq: 2,
            complete: false,
        };
        assert_eq!(follower.synced(page), [Step::FetchSince(2)]);
        let steps = follower.page(stored(3..=202), true);
        assert_eq!(steps.last(), Some(&Step::FetchSince(202)));
        follower.message(live(301));
        assert_eq!(
            shown(&follower.page(stored(203..=300), false)).last(),
            Some(&301)
        );
    }

    #[test]
    fn a_hole_and_a_lag_are_filled_by_asking_again() {
        let mut follower = reader(2);
        assert!(asked_sync(&follower.message(live(4))).is_some());
        assert_eq!(shown(&follower.message(live(3))), [3, 4]);
        // Told while the first is still being answered: asked for when the answer does not reach so far.
        assert_eq!(follower.lag("general", 6), []);
        assert_eq!(follower.lag("elsewhere", 9), []);
        let synced = |seq| SyncedRoom {
            seq,
            complete: true,
        };
        assert!(asked_sync(&follower.synced(synced(4))).is_some());
        assert_eq!(follower.synced(synced(6)), []);
        assert_eq!(follower.lag("general", 6), [], "it has come");
        assert!(asked_sync(&follower.lag("general", 7)).is_some());
    }

    #[test]
    fn a_sync_that_is_refused_is_asked_again_or_given_up_with_its_history() {
        let refusal = |code: &str| ErrorFrame {
            reference: Some(SYNC.into()),
            code: code.into(),
            detail: "Some sentence.".into(),
            retry_after_ms: None,
        };
        let mut follower = reader(2);
        follower.connected(&hello("e", 5));
        assert_eq!(
            follower.refused(&refusal("store_unavailable")),
            Some(vec![Step::Pause])
        );
        assert!(asked_sync(&follower.again()).is_some());
        assert_eq!(
            follower.refused(&refusal("cursor_ahead")),
            Some(vec![Step::Forget, Step::FetchLatest])
        );
        let mut of_a_message = refusal("rate_limited");
        of_a_message.reference = Some("m1".into());
        assert_eq!(follower.refused(&of_a_message), None);
    }

    #[test]
    fn a_restored_history_is_read_afresh() {
        for (epoch, seq) in [("other", 9), ("e", 1)] {
            let mut follower = reader(5);
            let steps = follower.connected(&hello(epoch, seq));
            assert_eq!(steps, [Step::Forget, Step::FetchLatest]);
            assert_eq!(shown(&follower.latest(stored(1..=seq))).len() as u64, seq);
        }
    }

    #[test]
    fn a_failed_fetch_is_asked_again() {
        let mut follower = Follower::new("general");
        assert_eq!(follower.again(), []);
        follower.connected(&hello("e", 9));
        assert_eq!(follower.again(), [Step::FetchLatest]);
    }

    proptest! {
        /// However a replay and live frames are interleaved and repeated, every message is shown once, in order.
        #[test]
        fn no_order_of_arrival_loses_doubles_or_reorders(
            mut arrivals in proptest::collection::vec(6_u64..=30, 0..120),
            last in 20_u64..=30,
        ) {
            let mut follower = reader(5);
            follower.connected(&hello("e", last));
            arrivals.retain(|seq| *seq <= last);
            let mut seen = Vec::new();
            for seq in arrivals {
                seen.extend(shown(&follower.message(live(seq))));
            }
            // The replay as the server sends it.
            for seq in 6..=last {
                seen.extend(shown(&follower.message(live(seq))));
            }
            seen.extend(shown(&follower.synced(SyncedRoom { seq: last, complete: true })));
            prop_assert_eq!(seen, (6..=last).collect::<Vec<_>>());
        }
    }
}
