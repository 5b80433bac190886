//! `PostgreSQL`: a thread holds an advisory lock on a connection of its own, and takes it again when that is lost.
//!
//! The network can go away without either end being told. Then `PostgreSQL` keeps the session that holds our lock, and
//! our next session would be refused by ourselves. So each process gives its sessions a name of its own, and ends
//! those that are left over. What a crashed machine has left over, `PostgreSQL` itself ends within seconds, by the
//! keepalives that every session asks for.

use std::{thread, time::Duration};

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use tokio::sync::oneshot;

use super::{ASK_AGAIN, LockError};
use crate::{
    config::DatabaseUrl,
    db::conn::{self, AnyConnection},
};

/// Names the advisory lock that a serving process holds.
const LOCK: i64 = 0x7061_726c_6f75_7200;
/// How often a lock that is about to be free is asked for, with a pause after each.
const MOST_ASKED: usize = 10;
/// How often the holder looks whether its session still lives.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Takes the lock on this connection and keeps it. What comes back hears when another server has it.
pub(super) fn take(
    url: &DatabaseUrl,
    mut conn: AnyConnection,
) -> Result<oneshot::Receiver<()>, LockError> {
    let unreachable = |error: &dyn std::fmt::Display| LockError::Unreachable(error.to_string());
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| unreachable(&error))?;
    // Hexadecimal digits only: it becomes part of statements.
    let name = format!("parlour-lock-{:016x}", u64::from_ne_bytes(random));
    if insist(&mut conn, &name).map_err(|error| unreachable(&error))? != Answer::Ours {
        return Err(LockError::Taken);
    }
    let url = url.clone();
    let (loser, lost) = oneshot::channel();
    thread::Builder::new()
        .name("sole-server".into())
        .spawn(move || watch(&url, conn, &name, loser))
        .map_err(|error| unreachable(&error))?;
    Ok(lost)
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// We have it.
    Ours,
    /// An earlier session of this process had it, or whoever had it has just gone: ask again.
    Soon,
    /// Another process has it.
    Taken,
}

/// Asks for the lock, and asks again when it is about to be free: that is no other server, not even for a caller that has
/// no patience with one.
fn insist(conn: &mut AnyConnection, name: &str) -> QueryResult<Answer> {
    for _ in 0..MOST_ASKED {
        let answer = ask(conn, name)?;
        if answer != Answer::Soon {
            return Ok(answer);
        }
        thread::sleep(ASK_AGAIN);
    }
    ask(conn, name)
}

/// Asks for the lock, and ends the session of this process that has it, if that is in the way.
fn ask(conn: &mut AnyConnection, name: &str) -> QueryResult<Answer> {
    diesel::select(sql::<diesel::sql_types::Text>(&format!(
        "set_config('application_name', '{name}', false)"
    )))
    .execute(conn)?;
    let lock = sql::<Bool>(&format!("pg_try_advisory_lock({LOCK})"));
    if diesel::select(lock).get_result(conn)? {
        return Ok(Answer::Ours);
    }
    let holders = holders();
    let ended: i64 = diesel::select(sql::<BigInt>(&format!(
        "(SELECT count(pg_terminate_backend(pid)) {holders} AND holder.application_name = '{name}')"
    )))
    .get_result(conn)?;
    let is_left = is_held(conn)?;
    if ended > 0 {
        log::info!(
            "ended the session in which this server held its lock before the network was cut"
        );
    }
    Ok(if ended > 0 || !is_left {
        Answer::Soon
    } else {
        Answer::Taken
    })
}

/// Whether a session has the lock.
pub(super) fn is_held(conn: &mut AnyConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(&format!("EXISTS (SELECT 1 {})", holders()))).get_result(conn)
}

/// The sessions that have the lock, from FROM on.
fn holders() -> String {
    let (upper, lower) = (LOCK >> 32, LOCK & 0xffff_ffff);
    format!(
        "FROM pg_locks JOIN pg_stat_activity AS holder USING (pid) \
         WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid = {upper} AND objid = {lower} \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

/// Notices when the session that holds the lock is gone (a restart of `PostgreSQL`, a cut of the network) and takes the
/// lock again.
fn watch(url: &DatabaseUrl, mut conn: AnyConnection, name: &str, loser: oneshot::Sender<()>) {
    let alive = |conn: &mut AnyConnection| {
        diesel::select(sql::<Bool>("true"))
            .get_result::<bool>(conn)
            .is_ok()
    };
    loop {
        thread::sleep(HEARTBEAT);
        if alive(&mut conn) {
            continue;
        }
        conn = loop {
            let Ok(mut fresh) = conn::open(url) else {
                // As often as one that waits for its turn asks.
                thread::sleep(ASK_AGAIN);
                continue;
            };
            match ask(&mut fresh, name) {
                Ok(Answer::Ours) => break fresh,
                Ok(Answer::Taken) => {
                    conn::stop_writing();
                    let _the_server_is_ending = loser.send(());
                    return;
                }
                Ok(Answer::Soon) | Err(_) => thread::sleep(ASK_AGAIN),
            }
        };
    }
}
