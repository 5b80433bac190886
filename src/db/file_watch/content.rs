//! What is in the file of an embedded database that is being served, seen by a connection that has read nothing of it yet.

use std::path::Path;

use diesel::result::QueryResult;

use super::Loss;
use crate::{
    config::DatabaseUrl,
    db::{
        AnyConnection, conn,
        connector::one_line,
        facts,
        integrity::{self, Depth},
    },
};

/// The life of the server that the database is in. (It also makes SQLite open its log, which it does when it first reads.)
pub(super) fn find_life(conn: &mut AnyConnection) -> QueryResult<Option<String>> {
    facts::find(conn, "life")
}

/// What is in the file of a database.
pub(super) enum Content {
    /// What this server has written.
    Own,
    /// Something else.
    Lost(Loss),
    /// That could not be found out, for this reason.
    Unknown(String),
}

/// What is in the file of a database that was in this life. A connection that has read nothing of it yet sees what is there
/// now. `is_suspect`: all pages are looked at.
pub(super) fn find_content(path: &Path, life: Option<&str>, is_suspect: bool) -> Content {
    let url = DatabaseUrl::Sqlite(path.to_owned());
    let failed = |words: String| {
        if integrity::is_damage(&words) {
            return Content::Lost(Loss::Damaged(one_line(&words)));
        }
        // Another program's database.
        if words.contains("no such table") {
            return Content::Lost(Loss::WrittenOver);
        }
        Content::Unknown(words)
    };
    let mut fresh = match conn::open_again(&url) {
        Ok(fresh) => fresh,
        Err(error) => return failed(error.to_string()),
    };
    match find_life(&mut fresh) {
        Ok(found) if found.as_deref() != life => return Content::Lost(Loss::WrittenOver),
        Ok(_) if !is_suspect => return Content::Own,
        Ok(_) => {}
        Err(error) => return failed(error.to_string()),
    }
    match integrity::find_damage(&mut fresh, Depth::Pages) {
        Ok(None) => Content::Own,
        Ok(Some(words)) => Content::Lost(Loss::Damaged(words)),
        Err(error) => failed(error.to_string()),
    }
}
