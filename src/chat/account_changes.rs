//! Watching for changes of accounts that another process makes: `parlour users`. Logins that it ends are ended here within
//! a second, and rooms that it leaves to another owner say so.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
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

/// Watches until it is dropped. `from` is the number of the latest change that is known already.
pub async fn watch(logins: &Logins, heirs: &Heirs, from: i64) {
    let mut seen = from;
    // Also what was done while no server ran.
    let mut has_heirs = true;
    loop {
        if has_heirs {
            has_heirs = heirs.tell().await.is_err();
        }
        tokio::time::sleep(ASK_EVERY).await;
        match look(logins, seen).await {
            Ok(latest) => {
                has_heirs |= latest != seen;
                seen = latest;
            }
            Err(error) => {
                log::debug!("cannot ask for changes of accounts: {}", error.code);
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
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
