//! What holds of a status after a wish, and what comes when that ends.

use crate::protocol::{
    people::{SetStatus, State, Status},
    time::Timestamp,
};

/// What holds after a wish. A choice that is only what devices show is none; and a state that had no end comes back when
/// what is wished for ends: who is invisible is so after lunch, too.
pub(super) fn apply(before: &Status, wish: SetStatus, now: Timestamp) -> Status {
    let before = before.clone().at(now);
    let is_new = [wish.text.as_ref(), wish.emoji.as_ref()]
        .into_iter()
        .any(says_something)
        || wish.state.is_some_and(|state| state != State::Online);
    // A state that was to end does not become one without an end by a few other words.
    let would_last = wish.state.is_none() && before.then_state != before.state;
    let end = before.until.filter(|_| !is_new || would_last);
    let asked = (wish.state, wish.until);
    let said = |wish: Option<String>, before: &Option<String>| match wish {
        Some(text) => Some(text).filter(|text| !text.is_empty()),
        None => before.clone(),
    };
    let status = Status {
        state: wish
            .state
            .or(before.state)
            .filter(|state| is_choice(*state)),
        text: said(wish.text, &before.text),
        emoji: said(wish.emoji, &before.emoji),
        until: wish.until.or(end),
        then_state: None,
    };
    let then_state = then_state(&before, asked, &status).filter(|state| is_choice(*state));
    let status = Status {
        then_state: then_state.filter(|_| status.until.is_some()),
        ..status
    };
    let is_something = [status.state, status.then_state]
        .iter()
        .any(Option::is_some)
        || [status.text.as_ref(), status.emoji.as_ref()]
            .into_iter()
            .any(says_something);
    Some(status.at(now))
        .filter(|_| is_something)
        .unwrap_or_default()
}

fn says_something(said: Option<&String>) -> bool {
    said.is_some_and(|said| !said.is_empty())
}

/// `online` is what devices show, and no choice.
fn is_choice(state: State) -> bool {
    state != State::Online
}

/// The state that comes back at the end of what holds after a wish for this state and end.
fn then_state(
    before: &Status,
    (state, until): (Option<State>, Option<Timestamp>),
    after: &Status,
) -> Option<State> {
    let had_an_end = before.until.is_some();
    let lasting = if had_an_end {
        before.then_state
    } else {
        before.state
    };
    if until.is_none() {
        // With `online`, and no end to that, what would come back is given up.
        return lasting.filter(|_| state.is_none());
    }
    let is_about_it = state.map_or(!had_an_end, |state| Some(state) == lasting);
    let says_nothing = after.text.is_none() && after.emoji.is_none();
    // The same words with an end: they were said together with the state. Only whoever is hidden stays so.
    let says_the_same = !had_an_end
        && (&after.text, &after.emoji) == (&before.text, &before.emoji)
        && lasting != Some(State::Invisible);
    let ends_it = is_about_it && (says_nothing || says_the_same);
    lasting.filter(|_| !ends_it)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::protocol::time::now;

    fn wish(text: &str) -> SetStatus {
        serde_json::from_str(text).expect("a status")
    }

    #[test]
    fn what_is_absent_stays_and_what_is_empty_goes() {
        let until = now() + TimeDelta::hours(1);
        let first = apply(
            &Status::default(),
            SetStatus {
                until: Some(until),
                ..wish(r#"{"state":"dnd","text":"lunch"}"#)
            },
            now(),
        );
        assert_eq!(
            apply(&first, wish(r#"{"text":"tea"}"#), until)
                .text
                .as_deref(),
            Some("tea")
        );
        let over = SetStatus {
            until: Some(until),
            ..SetStatus::default()
        };
        assert_eq!(
            apply(&first, over, until),
            Status::default(),
            "it is over at once"
        );
        assert_eq!(first.until, Some(until));
        let online = apply(&first, wish(r#"{"state":"online"}"#), now());
        assert_eq!(
            (online.state, online.text.as_deref(), online.until),
            (None, Some("lunch"), Some(until))
        );
        let other = apply(&first, wish(r#"{"text":"tea"}"#), now());
        assert_eq!(
            (other.state, other.until),
            (Some(State::Dnd), Some(until)),
            "the state keeps its end"
        );
        let other = apply(&online, wish(r#"{"text":"tea"}"#), now());
        assert_eq!(
            (other.state, other.until),
            (None, None),
            "a new text has no old end"
        );
        let none = apply(&online, wish(r#"{"text":""}"#), now());
        assert_eq!(none, Status::default(), "an end of nothing is nothing");
    }

    #[test]
    fn a_state_without_an_end_comes_back_when_what_has_one_ends() {
        let (start, end) = (now(), now() + TimeDelta::hours(1));
        let until = |said: &str| SetStatus {
            until: Some(end),
            ..wish(said)
        };
        let invisible = apply(&Status::default(), wish(r#"{"state":"invisible"}"#), start);
        for (said, state) in [
            (r#"{"text":"lunch"}"#, Some(State::Invisible)),
            (r#"{"emoji":"🍜"}"#, Some(State::Invisible)),
            (
                r#"{"state":"invisible","text":"lunch"}"#,
                Some(State::Invisible),
            ),
            (r#"{"state":"dnd","text":""}"#, Some(State::Dnd)),
            (r#"{"state":"online"}"#, None),
        ] {
            let during = apply(&invisible, until(said), start);
            assert_eq!((during.state, during.until), (state, Some(end)), "{said}");
            assert_eq!(during.clone().at(end), invisible, "{said}");
            let moved = apply(&during, until(r#"{"text":"tea"}"#), start);
            assert_eq!(moved.at(end), invisible, "{said}, then tea");
            let at_once = SetStatus {
                until: Some(start),
                ..SetStatus::default()
            };
            assert_eq!(
                apply(&during, at_once, start),
                invisible,
                "{said}, ended at once"
            );
            let late = apply(&during, wish(r#"{"text":"back"}"#), end);
            assert_eq!(
                (late.state, late.until),
                (Some(State::Invisible), None),
                "{said}, ended"
            );
            for more in [r#"{"text":"hi"}"#, r#"{"text":""}"#] {
                let after = apply(&during, wish(more), start);
                let hidden = after.clone().at(end).state == Some(State::Invisible);
                assert!(hidden, "{said}, then {more}: {after:?}");
            }
            let alone = until(r#"{"state":"invisible","text":"","emoji":""}"#);
            let ends = apply(&during, alone, start);
            assert_eq!(
                ends.at(end),
                Status::default(),
                "{said}, then an end of it alone"
            );
            let shown = apply(&during, wish(r#"{"state":"online"}"#), start);
            assert_eq!(shown.at(end), Status::default(), "{said}, and shown again");
        }
        for said in ["{}", r#"{"state":"invisible","text":"","emoji":""}"#] {
            let ends = apply(&invisible, until(said), start);
            assert_eq!(
                (ends.state, ends.at(end)),
                (Some(State::Invisible), Status::default())
            );
        }
        let lunch = apply(
            &Status::default(),
            until(r#"{"state":"dnd","text":"lunch"}"#),
            start,
        );
        assert_eq!(
            lunch.at(end),
            Status::default(),
            "what has an end does not come back"
        );
    }

    #[test]
    fn an_end_that_is_given_later_is_of_all_that_was_said_but_who_is_hidden_stays_so() {
        let (start, end) = (now(), now() + TimeDelta::hours(1));
        for (state, then) in [("dnd", None), ("invisible", Some(State::Invisible))] {
            // As the dialog of a client has it, which says all of it each time.
            let said = format!(r#"{{"state":"{state}","text":"Ill","emoji":"🤒"}}"#);
            let without = apply(&Status::default(), wish(&said), start);
            let with = SetStatus {
                until: Some(end),
                ..wish(&said)
            };
            let with = apply(&without, with, start);
            assert_eq!((with.text.as_deref(), with.until), (Some("Ill"), Some(end)));
            assert_eq!(with.clone().at(end).state, then, "{with:?}");
        }
    }
}
