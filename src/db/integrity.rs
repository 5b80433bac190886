//! What SQLite finds wrong with its own file. `PostgreSQL` has no such look at itself.

use diesel::{
    QueryableByName, RunQueryDsl as _,
    result::{Error as DieselError, QueryResult},
    sql_query,
    sql_types::Text,
};

use super::AnyConnection;
use crate::config::DatabaseUrl;

/// A few words tell enough.
const MOST_WORDS: usize = 20;

/// How closely the file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every page is read once.
    Pages,
    /// Every row is looked for in every index, too, which takes several times as long.
    Indexes,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// What is wrong with the file, in a few words; `None` when nothing is, and for `PostgreSQL`. It reads the whole file.
///
/// # Errors
/// When the database fails; a file that is damaged may fail, too. A page that could not be read at all (of a disk that fails for a
/// moment) is an error, too, and no damage.
pub fn find_damage(conn: &mut AnyConnection, depth: Depth) -> QueryResult<Option<String>> {
    let AnyConnection::Sqlite(conn) = conn else {
        return Ok(None);
    };
    let look = match depth {
        Depth::Pages => "SELECT quick_check AS line FROM pragma_quick_check",
        Depth::Indexes => "SELECT integrity_check AS line FROM pragma_integrity_check",
    };
    let found: Vec<Line> = sql_query(look).load(conn)?;
    let found: Vec<&str> = found
        .iter()
        .flat_map(|found| found.line.split_whitespace())
        .collect();
    if found.iter().any(|word| is_failed_reading(word)) {
        let words = "disk I/O error while looking at the pages";
        return Err(DieselError::QueryBuilderError(words.into()));
    }
    let words = found.len().min(MOST_WORDS);
    Ok((found != ["ok"]).then(|| found[..words].join(" ")))
}

/// Whether SQLite says with this that it could not read a page (`SQLITE_IOERR`, `SQLITE_NOMEM`, and what is more of them: see
/// <https://sqlite.org/rescode.html>).
fn is_failed_reading(word: &str) -> bool {
    let code = word
        .strip_prefix("code=")
        .and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 7 | 10))
}

/// What to do about a database in which this was found.
#[must_use]
pub fn explain(url: &DatabaseUrl, damage: &str) -> String {
    format!(
        "The database {url} is damaged ({damage}): perhaps it was copied while it was in use, or the -wal beside it is that of another one. If you have its own -wal, put that there; otherwise move all of its files away together, and restore a backup with `parlour restore`."
    )
}

/// Whether SQLite says with these words that it did not find what should be in its files: the disk may fail, or someone may have
/// written over them.
#[must_use]
pub fn is_unreadable(words: &str) -> bool {
    is_damage(words) || words.contains("disk I/O error")
}

/// Whether SQLite says with these words that the file is damaged, or is no database at all. (Diesel does not hand on its codes.)
#[must_use]
pub fn is_damage(words: &str) -> bool {
    words.contains("malformed") || words.contains("is not a database")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_could_not_be_read_is_told_from_one_that_is_wrong() {
        // SQLITE_IOERR, SQLITE_IOERR_SHORT_READ and SQLITE_NOMEM; SQLITE_CORRUPT.
        assert!(
            ["code=10", "code=522", "code=7"]
                .iter()
                .all(|word| is_failed_reading(word))
        );
        assert!(
            !["code=11", "code=", "code=x", "522"]
                .iter()
                .any(|word| is_failed_reading(word))
        );
    }
}
