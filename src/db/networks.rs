//! From where people have logged in to their accounts, as keyed hashes: so that strangers who guess do not keep them out.

use diesel::prelude::*;

use super::{AnyConnection, is_unique_violation, schema::known_networks};
use crate::protocol::time::Timestamp;

/// Most networks that are remembered of an account; the one that was not seen for longest goes. Their order counts, not
/// their age: a clock that is wrong must not make anyone a stranger.
const MOST: i64 = 20;

/// Whether someone has logged in to this account from this network.
///
/// # Errors
/// When the database fails.
pub fn is_known(conn: &mut AnyConnection, user_id: i64, network: &str) -> QueryResult<bool> {
    let found: i64 = known_networks::table
        .find((user_id, network))
        .count()
        .get_result(conn)?;
    Ok(found > 0)
}

/// Remembers a network from which someone has logged in to this account. Belongs in a transaction.
///
/// # Errors
/// When the database fails.
pub fn remember(
    conn: &mut AnyConnection,
    user_id: i64,
    network: &str,
    now: Timestamp,
) -> QueryResult<()> {
    let seen = diesel::update(known_networks::table.find((user_id, network)))
        .set(known_networks::seen_at.eq(now.naive_utc()))
        .execute(conn)?;
    if seen > 0 {
        return Ok(());
    }
    // A savepoint: on PostgreSQL a unique violation would end the whole transaction.
    let inserted = conn.transaction(|conn| {
        diesel::insert_into(known_networks::table)
            .values((
                known_networks::user_id.eq(user_id),
                known_networks::network.eq(network),
                known_networks::seen_at.eq(now.naive_utc()),
            ))
            .execute(conn)
    });
    match inserted {
        Err(error) if is_unique_violation(&error) => return Ok(()),
        other => other?,
    };
    let too_many: Vec<String> = known_networks::table
        .filter(known_networks::user_id.eq(user_id))
        .filter(known_networks::network.ne(network))
        .order(known_networks::seen_at.desc())
        .offset(MOST - 1)
        .limit(MOST)
        .select(known_networks::network)
        .load(conn)?;
    for network in too_many {
        diesel::delete(known_networks::table.find((user_id, network))).execute(conn)?;
    }
    Ok(())
}
