//! Whether what people say of themselves opens, and lies where it was put.

use crate::{
    crypto::{binding::Place, vault::Vault},
    db::{
        AnyConnection, QueryError,
        text::StoredText,
        users::people::{Said, list_said},
    },
    ops::backup::texts::SAID,
};

/// People that are read at once.
const PAGE: i64 = 500;

/// How many texts do not open, and the first of them.
pub fn try_open(conn: &mut AnyConnection, vault: &Vault) -> Result<(u64, String), QueryError> {
    let (mut count, mut first) = (0, String::new());
    let mut last = i64::MIN;
    loop {
        let page = list_said(conn, last, PAGE)?;
        let Some(end) = page.last() else { break };
        last = end.id;
        for person in page {
            for what in list_unopened(vault, &person) {
                if count == 0 {
                    first = format!("{what} {}", person.username);
                }
                count += 1;
            }
        }
    }
    Ok((count, first))
}

fn list_unopened(vault: &Vault, person: &Said) -> Vec<&'static str> {
    let texts = [
        &person.bio,
        &person.pronouns,
        &person.status_text,
        &person.status_emoji,
    ];
    let opens = |text: &StoredText, purpose| {
        let place = Place::of_user(person.id, purpose);
        vault.open_at(place, text.as_str()).is_ok()
    };
    let all = SAID.into_iter().zip(texts);
    all.filter(|((_, purpose, _), text)| text.as_ref().is_some_and(|text| !opens(text, *purpose)))
        .map(|((_, _, what), _)| what)
        .collect()
}
