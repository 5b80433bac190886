//! Lists, page by page. Where one goes on: what is given to a client is not for it to read, and holds for the list that it was given for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Caller, rates::Rates};
use crate::{
    error::{Error, Result},
    protocol::limits::MAX_PAGE,
};

/// Longest cursor that is looked at.
const MAX_CURSOR: usize = 512;

/// A list of which a page was asked for, with all that decides what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List(String);

impl List {
    /// A list, by its kind and by what it is a list of.
    #[must_use]
    pub fn new(kind: &str, of: &str) -> Self {
        Self(format!("{kind}\n{of}\n"))
    }

    /// The cursor that goes on after this place.
    #[must_use]
    pub fn after(&self, place: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}{place}", self.0))
    }

    /// The place that a cursor goes on after.
    ///
    /// # Errors
    /// 422 for what is no cursor of this list.
    pub fn read(&self, cursor: &str) -> Result<String> {
        let known = (cursor.len() <= MAX_CURSOR)
            .then(|| URL_SAFE_NO_PAD.decode(cursor).ok())
            .flatten()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix(&self.0).map(ToOwned::to_owned));
        let detail = "`cursor` was not given out for this list: begin without one.";
        known.ok_or_else(|| Error::invalid_query("cursor", detail))
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// So much of it.
    pub limit: i64,
    /// From where on; absent: from the beginning.
    pub cursor: Option<String>,
}

impl Wanted {
    /// A page of so many.
    ///
    /// # Errors
    /// 422 when no page is so long.
    pub fn new(limit: i64, cursor: Option<String>) -> Result<Self> {
        if !(1..=MAX_PAGE).contains(&limit) {
            let detail = format!("`limit` must be between 1 and {MAX_PAGE}.");
            return Err(Error::invalid_query("limit", detail));
        }
        Ok(Self { limit, cursor })
    }
}

/// Checks what is asked of a list, and reads where it is to go on.
pub(super) fn begin(
    rates: &Rates,
    caller: &Caller,
    list: &List,
    wanted: &Wanted,
) -> Result<Option<String>> {
    rates.check_read(caller.user_id)?;
    let cursor = wanted.cursor.as_deref();
    cursor.map(|cursor| list.read(cursor)).transpose()
}

/// The page of what was read, one more than belongs on it.
pub(super) fn cut<T>(
    mut items: Vec<T>,
    limit: i64,
    of: &List,
    place: impl Fn(&T) -> String,
) -> Listed<T> {
    let most = usize::try_from(limit).unwrap_or(0);
    let has_more = items.len() > most;
    items.truncate(most);
    let last = items.last().filter(|_| has_more);
    Listed {
        next: last.map(|last| of.after(&place(last))),
        items,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_holds_for_its_own_list_alone() {
        let list = List::new("directory", "gar");
        let cursor = list.after("garden");
        assert_eq!(list.read(&cursor).as_deref(), Ok("garden"));
        for other in [List::new("directory", "ga"), List::new("members", "gar")] {
            assert!(other.read(&cursor).is_err(), "{other:?}");
        }
        for wrong in ["", "!", "garden", &"A".repeat(600)] {
            assert!(list.read(wrong).is_err(), "{wrong}");
        }
    }
}
