//! Usernames that people would take for each other.

use diesel::{dsl::sql, prelude::*, sql_types::Text};

use crate::{
    db::{AnyConnection, schema::users},
    protocol::looks::at_a_glance,
};

/// Whether someone else than this account has a name that looks like this one. Accounts from before this rule may have such names, and
/// keep them.
///
/// # Errors
/// When the database fails.
pub(super) fn has_alike(
    conn: &mut AnyConnection,
    username: &str,
    except: i64,
) -> QueryResult<bool> {
    // The index `users_by_looks` is on just this.
    let looks = sql::<Text>(
        "REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LOWER(REPLACE(username, 'I', 'l')), '0', 'o'), '1', 'l'), 'm', 'rn'), 'w', 'vv'), '_', '-')",
    );
    let found: Option<i64> = users::table
        .filter(looks.eq(at_a_glance(username)))
        .filter(users::id.ne(except))
        .select(users::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}
