//! What cannot be read is told to the operator: of each place once, since clients ask for it again and again, and a log that is
//! full of it hides all else.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// So many places are told of; where there are more, something is wrong with all of them.
const MOST: usize = 1_000;
/// How each sentence ends.
const WHY: &str = "cannot be read: it was changed or belongs elsewhere, or the key is missing";

/// What was told since the start.
static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Tells of a place whose text cannot be read, if it is the first time.
pub(super) fn tell(place: String) {
    match note(
        &mut TOLD.lock().unwrap_or_else(PoisonError::into_inner),
        place,
    ) {
        Noted::Known => {}
        Noted::New(place) => log::error!("{place} {WHY}"),
        Noted::TooMany => log::error!(
            "there is more that cannot be read than the log is to tell: `parlour doctor` names all of it"
        ),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Noted {
    Known,
    New(String),
    TooMany,
}

fn note(told: &mut BTreeSet<String>, place: String) -> Noted {
    if told.contains(&place) || told.len() > MOST {
        return Noted::Known;
    }
    told.insert(place.clone());
    if told.len() > MOST {
        return Noted::TooMany;
    }
    Noted::New(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_told_of_once_and_a_flood_of_them_as_one() {
        let mut told = BTreeSet::new();
        let place = |n: usize| format!("message {n}");
        for n in 0..MOST {
            assert_eq!(note(&mut told, place(n)), Noted::New(place(n)));
            assert_eq!(note(&mut told, place(n)), Noted::Known);
        }
        assert_eq!(note(&mut told, place(MOST)), Noted::TooMany);
        for n in [0, MOST, MOST + 1] {
            assert_eq!(note(&mut told, place(n)), Noted::Known);
        }
        assert_eq!(told.len(), MOST + 1, "it does not grow");
    }
}
