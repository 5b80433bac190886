//! Why something was not said at its time: as it is stored, as its author is told, and what waits for its author after the
//! database was put back to what it was.

use serde_json::Value;

use crate::{
    db::{AnyConnection, QueryError, scheduled as rows},
    error::{Code, Error, Kind},
    protocol::{scheduled::NotSent, time::now},
};

/// Has what came due before this moment wait for its author, since the database is not as it was left: perhaps it was said
/// or taken back after that.
///
/// # Errors
/// When the database fails.
pub fn hold_overdue(conn: &mut AnyConnection) -> Result<(), QueryError> {
    let held = rows::hold_overdue(conn, now(), &overdue_at_restore())?;
    if held > 0 {
        log::warn!(
            "{held} messages for later had come due and wait for their authors: they may have been sent or taken back since"
        );
    }
    Ok(())
}

/// Why what was due is not said after a backup was restored, as it is stored.
#[must_use]
pub fn overdue_at_restore() -> String {
    write(&Error::new(
        Kind::Conflict,
        Code::EpochChanged,
        "A backup was restored after this was to be said. Give it another time if it is still to be.",
    ))
}

/// Why something was not sent, as it is stored: the code, and the sentence.
pub(super) fn write(error: &Error) -> String {
    format!("{} {}", error.code, error.detail)
}

/// The same, as it is told.
pub(super) fn read(text: &str) -> NotSent {
    let (code, detail) = text.split_once(' ').unwrap_or((text, ""));
    let code = serde_json::from_value(Value::String(code.to_owned()));
    NotSent {
        code: (code.ok())
            .filter(|code| *code != Code::Unknown)
            .unwrap_or(Code::InternalError),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::Denied;

    #[test]
    fn why_something_was_not_sent_is_read_as_it_was_written() {
        let error = Error::from(Denied::Muted);
        let told = read(&write(&error));
        assert_eq!((told.code, &*told.detail), (Code::Muted, &*error.detail));
        for (text, detail) in [("", ""), ("of_next_year Not yet.", "Not yet.")] {
            let told = read(text);
            assert_eq!((told.code, &*told.detail), (Code::InternalError, detail));
        }
    }
}
