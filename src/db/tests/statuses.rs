//! What is left of a status when it has ended.

use chrono::TimeDelta;

use super::by_hand::Tables;
use crate::{
    db::{
        text::StoredText,
        users::{
            self, NewUser,
            people::{self, NewStatus},
        },
    },
    protocol::time::now,
};

#[test]
fn of_what_has_ended_the_state_that_comes_back_is_left() {
    Tables::on_both(|tables| {
        let mut conn = tables.open();
        let (start, end) = (now(), now() + TimeDelta::hours(1));
        let mut whose = |username, then| {
            let user = NewUser {
                username,
                password_hash: "",
                created_at: start,
                deleted: &[],
            };
            let id = users::insert(&mut conn, &user)
                .expect("inserts")
                .expect("new");
            let status = NewStatus {
                state: Some("dnd"),
                text: Some("sealed".to_owned()),
                emoji: Some("sealed".to_owned()),
                until: Some(end),
                then,
            };
            people::set_status(&mut conn, id, &status).expect("sets");
            id
        };
        let (hidden, shown) = (whose("hidden", Some("invisible")), whose("shown", None));
        assert_eq!(people::clear_ended(&mut conn, start), Ok(0), "too early");
        assert_eq!(people::clear_ended(&mut conn, end), Ok(2));
        let left = people::find_status(&mut conn, hidden).expect("reads");
        let left = left.expect("the state that comes back");
        let state = left.state.as_ref().map(StoredText::as_str);
        assert_eq!(state, Some("invisible"));
        let rest = [&left.text, &left.emoji, &left.then];
        assert!(rest.iter().all(|text| text.is_none()) && left.until.is_none());
        let nothing = people::find_status(&mut conn, shown).expect("reads");
        assert!(nothing.is_none(), "nothing comes back");
    });
}
