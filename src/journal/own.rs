//! What members set for themselves in their rooms: how far they have read, and what they want to be told. It takes no number.
//! It waits apart from the entries, so that thousands who read keep no message waiting, and goes with the next transaction.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::oneshot;

use super::{Actor, RoomId, UserId};
use crate::{
    error::{Code, Error, Result},
    protocol::reading::{Counts, Notify},
};

/// Most settings that may wait for one writer.
const MOST_WAITING: usize = 16_384;

/// Something that a member sets for themselves in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The room.
    pub room: RoomId,
    /// Who.
    pub actor: Actor,
    /// What.
    pub what: Set,
}

/// What a member can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// How far they have read.
    Read(Mark),
    /// What they want to be told of the room.
    Notify(Notify),
}

/// How far someone has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The thread, by its first message; `None`: the room's own pages.
    pub thread: Option<i64>,
    /// Up to this change; or with `is_back` not this message and what follows.
    pub seq: i64,
    /// The marker goes there from wherever it is.
    pub is_back: bool,
}

/// What a setting has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The marker is here now.
    Read {
        /// Up to this change.
        seq: u64,
        /// What is unread above it, if that was counted.
        counts: Option<Counts>,
    },
    /// It is kept.
    Kept,
}

/// What is to be told of settings that are on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The room.
    pub room_id: RoomId,
    /// Whose they are.
    pub user_id: UserId,
    /// What they are now.
    pub what: NotedSet,
}

/// What a member's setting is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotedSet {
    /// How far they have read.
    Read {
        /// The thread, by its first message.
        thread: Option<u64>,
        /// Up to this change.
        seq: u64,
        /// What is unread above it, if that was counted: for themselves alone.
        counts: Option<Counts>,
        /// How far others see that it is,
        shown: u64,
        /// and who does.
        shown_to: Vec<UserId>,
    },
    /// What they want to be told.
    Notify(Notify),
}

/// The receipt, when it comes.
pub type PendingSetting = oneshot::Receiver<Result<Settled>>;

/// A setting that waits.
#[derive(Debug)]
pub struct WaitingSetting {
    pub setting: Setting,
    pub since: Instant,
    pub receipt: oneshot::Sender<Result<Settled>>,
}

/// Where settings wait for a writer.
#[derive(Debug, Default)]
pub struct Inbox(Mutex<VecDeque<WaitingSetting>>);

impl Inbox {
    /// Puts a setting into it; true when it was empty, so that its writer has to be woken.
    ///
    /// # Errors
    /// 503 when too many wait.
    pub fn put(&self, setting: Setting) -> Result<(PendingSetting, bool)> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_WAITING {
            return Err(Error::unavailable(
                Code::Busy,
                "More is waiting than the disk can take; try again shortly.",
            ));
        }
        let (receipt, pending) = oneshot::channel();
        waiting.push_back(WaitingSetting {
            setting,
            since: Instant::now(),
            receipt,
        });
        Ok((pending, waiting.len() == 1))
    }

    /// Takes the oldest of them, so many at most.
    pub fn take(&self, most: usize) -> Vec<WaitingSetting> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = most.min(waiting.len());
        waiting.drain(..count).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.is_empty()
    }
}
