//! Doing what a post does, and taking it back: the one way to know that a post would be stored.

use diesel::{prelude::*, result::Error as DieselError, sql_query};

use super::{
    AnyConnection, WriteError,
    conn::{waits_for_others, write},
    facts, is_unique_violation,
    row_checks::GREATEST,
    schema::{rooms, sessions},
};

/// Takes the room's next number and inserts a message, as a post does, and rolls both back. With `commit`, or where
/// `PostgreSQL` waits for other servers at a commit, something small is committed as well.
///
/// # Errors
/// What a post would have met.
pub fn try_post(conn: &mut AnyConnection, room: &str, commit: bool) -> Result<(), WriteError> {
    let mut commit = commit;
    let tried = write(conn, |conn| {
        // Each post looks whether its login lives.
        look_at_logins(conn)?;
        let (id, seq) = take_number(conn, room)?;
        if seq > GREATEST {
            return Err(DieselError::QueryBuilderError(
                format!("room {id} has no numbers left for messages").into(),
            ));
        }
        // The text is that of no message: it is never committed.
        let insert = format!(
            "INSERT INTO messages (room_id, id, seq, user_id, content, created_at) \
             SELECT {id}, {seq}, {seq}, users.id, '', '2026-01-01 00:00:00' FROM users ORDER BY users.id LIMIT 1"
        );
        match conn {
            AnyConnection::Postgres(conn) => sql_query(insert).execute(conn)?,
            AnyConnection::Sqlite(conn) => sql_query(insert).execute(conn)?,
        };
        if let AnyConnection::Postgres(conn) = conn {
            commit = commit || waits_for_others(conn)?;
        }
        Err::<(), _>(DieselError::RollbackTransaction)
    });
    match tried {
        // One that is not unique is mended by the next post: see `append`.
        Err(WriteError::Refused(error))
            if matches!(error, DieselError::RollbackTransaction) || is_unique_violation(&error) => {
        }
        outcome => outcome?,
    }
    if commit {
        write(conn, |conn| facts::set(conn, "ready", "tried"))?;
    }
    Ok(())
}

fn look_at_logins(conn: &mut AnyConnection) -> QueryResult<()> {
    let look = sessions::table.select(sessions::id).limit(1);
    let _whichever: Vec<i64> = match conn {
        AnyConnection::Postgres(conn) => look.load(conn)?,
        AnyConnection::Sqlite(conn) => look.load(conn)?,
    };
    Ok(())
}

fn take_number(conn: &mut AnyConnection, room: &str) -> QueryResult<(i64, i64)> {
    let query = diesel::update(rooms::table.filter(rooms::key.eq(room)))
        .set(rooms::last_seq.eq(rooms::last_seq + 1))
        .returning((rooms::id, rooms::last_seq));
    match conn {
        AnyConnection::Postgres(conn) => query.get_result(conn),
        AnyConnection::Sqlite(conn) => query.get_result(conn),
    }
}
