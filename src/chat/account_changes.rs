//! Watching for changes of accounts that another process makes: `parlour users`. Logins that it ends are ended here within
//! a second, and rooms that it leaves to another owner say so.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::{Duration, Instant},
};

use super::{heirs::Heirs, logins::Logins};
use crate::{
    db::{
        sessions,
        users::changes::{self, Change},
    },
    error::Result,
    hub::people::PeopleNews,
};

/// How often the database is asked whether there was a change: one row of an index.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How long to wait before asking again when it did not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long to wait before rooms are asked again to say that they were inherited, when one could not; twice as long each time.
const ASK_ROOMS_AGAIN: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Watches until it is dropped. `from` is the number of the latest change that is known already.
pub async fn watch(logins: &Logins, heirs: &Heirs, from: i64) {
    let mut seen = from;
    let mut pause = Pause::default();
    loop {
        if pause.is_over(Instant::now()) && heirs.take_notice() {
            match heirs.tell().await {
                Ok(()) => pause = Pause::default(),
                Err(error) => {
                    heirs.notice();
                    let length = pause.lengthen(Instant::now());
                    log::warn!(
                        "rooms that were inherited cannot say so, and are asked again in {length:?}: {}",
                        error.code
                    );
                }
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
        match look(logins, seen).await {
            Ok(latest) => {
                if latest != seen {
                    heirs.notice();
                    pause.end();
                }
                seen = latest;
            }
            Err(error) => {
                log::debug!("cannot ask for changes of accounts: {}", error.code);
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// How long is waited after what has failed: the longer, the more often it has.
#[derive(Debug, Default)]
struct Pause {
    until: Option<Instant>,
    length: Duration,
}

impl Pause {
    fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    /// It has failed. Returns how long is waited now.
    fn lengthen(&mut self, now: Instant) -> Duration {
        self.length = (self.length * 2).clamp(ASK_ROOMS_AGAIN, LONGEST_PAUSE);
        self.until = Some(now + self.length);
        self.length
    }

    /// There is something new to do, which is not waited with; but the next pause is no shorter for that.
    fn end(&mut self) {
        self.until = None;
    }
}

/// The number of the latest change. To be asked before anyone can log in.
///
/// # Errors
/// 503.
pub async fn find_latest(logins: &Logins) -> Result<i64> {
    logins.db.read(changes::find_latest).await
}

async fn look(logins: &Logins, seen: i64) -> Result<i64> {
    let latest = find_latest(logins).await?;
    if latest == seen {
        return Ok(seen);
    }
    let news = logins
        .db
        .read(move |conn| changes::list_after(conn, seen))
        .await?;
    // Logged last and up to the last change, so that no change is logged twice, whatever fails or comes meanwhile.
    end_deleted_logins(logins, &news).await?;
    news.iter().for_each(tell);
    for change in news.iter().filter(|change| change.act == "deleted") {
        // What they had chosen to be is gone from the database, too.
        logins.hub.note(PeopleNews::Status {
            user_id: change.user_id,
            username: change.username.clone(),
            status: None,
            rooms: BTreeSet::new(),
        });
    }
    Ok(news
        .last()
        .map_or(latest, |change| change.number.max(latest)))
}

/// Logs who did what to an account.
fn tell(change: &Change) {
    let Change {
        number,
        user_id,
        username,
        act,
        actor,
    } = change;
    let what = match act.as_str() {
        "added" => "was added",
        "password" => "has another password",
        "disabled" => "was disabled",
        "enabled" => "was enabled",
        "deleted" => "was deleted",
        "signed-out" => "was signed out",
        _ => "was changed",
    };
    log::info!(
        target: "parlour::audit",
        change = number, user_id, act = act.as_str(), actor = actor.as_str();
        "the account {username} {what}, by its {actor}", actor = if actor == "self" { "owner" } else { "operator" }
    );
}

/// Closes the sockets of logins that are no longer in the database, and says which of these changes has ended them.
async fn end_deleted_logins(logins: &Logins, news: &[Change]) -> Result<()> {
    let owners = logins.hub.sessions().await?;
    let mut open: Vec<i64> = owners.keys().copied().collect();
    open.extend(logins.known.list());
    open.sort_unstable();
    open.dedup();
    let asked = open.clone();
    let alive = logins
        .db
        .read(move |conn| sessions::list_existing(conn, &asked))
        .await?;
    let alive: HashSet<i64> = alive.into_iter().collect();
    let acts: HashMap<i64, &str> = news
        .iter()
        .map(|change| (change.user_id, change.act.as_str()))
        .collect();
    for id in open.into_iter().filter(|id| !alive.contains(id)) {
        let act = owners.get(&id).and_then(|user| acts.get(user));
        logins.note_end(id, reason(act.copied()));
    }
    Ok(())
}

/// What the sockets of a login are told that this has ended.
fn reason(act: Option<&str>) -> &'static str {
    match act {
        Some("disabled") => "the account was disabled",
        Some("deleted") => "the account was deleted",
        Some("password") => "the password was changed",
        _ => "this login was ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_and_again_is_tried_less_and_less_often() {
        let (start, mut pause) = (Instant::now(), Pause::default());
        assert!(pause.is_over(start));
        let mut lengths = Vec::new();
        for _ in 0..9 {
            let length = pause.lengthen(start);
            let before = length.saturating_sub(Duration::from_millis(1));
            assert!(!pause.is_over(start + before));
            assert!(pause.is_over(start + length));
            lengths.push(length.as_millis());
        }
        assert_eq!(
            lengths,
            [
                500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000
            ]
        );
        pause.end();
        assert!(pause.is_over(start));
    }
}
