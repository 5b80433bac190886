//! Random batches with repeats: no hole, and one number forever to each `client_id`.

use proptest::prelude::*;

use super::{table::Table, *};
use crate::protocol::time::now;

#[derive(Debug, Clone)]
struct Sent {
    room_id: i64,
    user_id: i64,
    session_id: i64,
    client_id: Option<String>,
    content: String,
}

impl Sent {
    fn draft(&self) -> DraftRow<'_> {
        DraftRow {
            room_id: self.room_id,
            user_id: self.user_id,
            session_id: self.session_id,
            client_id: self.client_id.as_deref(),
            content: &self.content,
            reply_to: None,
            username: "someone",
            thread: None,
            thread_only: false,
            candidates: &[],
            later: None,
        }
    }
}

/// Batches of drafts: few senders and few names, so that many are repeats, with the same content or another.
fn batches() -> impl Strategy<Value = Vec<Vec<Sent>>> {
    let room = 1..5i64;
    let client_id = prop::option::weighted(0.7, (0..6u8).prop_map(|n| format!("c{n}")));
    let sent = (room, 1..5i64, 1..4i64, client_id, 0..3u8).prop_map(
        |(room_id, user_id, session_id, client_id, text)| Sent {
            room_id,
            user_id,
            session_id,
            client_id,
            content: format!("text {text}"),
        },
    );
    prop::collection::vec(prop::collection::vec(sent, 1..9), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers_have_no_hole_and_a_client_id_keeps_its_own_for_ever(batches in batches()) {
        // The fourth user is a member of no room, the fourth room is not there, and the third login has ended.
        let mut table = Table::new(&[1, 2, 3], &[1, 2, 3]);
        table.ended.insert(3);
        let mut first = HashMap::new();
        for batch in &batches {
            let drafts: Vec<_> = batch.iter().map(Sent::draft).collect();
            let outcomes = table.append(&drafts, now());
            prop_assert_eq!(outcomes.len(), drafts.len());
            table.check_numbers();
            let mut last = HashMap::new();
            for (draft, outcome) in drafts.iter().zip(outcomes) {
                if draft.session_id == 3 {
                    prop_assert_eq!(outcome, Stored::Refused(Error::invalid_token()));
                    continue;
                }
                let room = table.rooms.get(&draft.room_id).filter(|_| draft.user_id != 4);
                if room.is_none() {
                    prop_assert_eq!(outcome, Stored::Refused(Error::no_such_room()));
                    continue;
                }
                let room_id = &draft.room_id;
                let (id, content, is_new) = match outcome {
                    Stored::New { id } => (id, draft.content.to_owned(), true),
                    Stored::Before { id, content: Some(content), .. } => (id, content, false),
                    other => return Err(TestCaseError::fail(format!("{other:?}"))),
                };
                let row = table.rows.iter().find(|row| (row.room_id, row.id) == (*room_id, id));
                let row = row.expect("what is answered is stored");
                prop_assert_eq!((row.user_id, &row.content), (draft.user_id, &content));
                prop_assert_eq!(row.client_id.as_deref(), draft.client_id);
                match draft.client_id {
                    Some(name) => {
                        let known = first.insert((*room_id, draft.user_id, name.to_owned()), id);
                        prop_assert_eq!(is_new, known.is_none(), "it is new once");
                        prop_assert_eq!(known.unwrap_or(id), id, "one number for ever");
                    }
                    None => prop_assert!(is_new, "without a name, each is one of its own"),
                }
                if is_new {
                    let before = last.insert(*room_id, id);
                    prop_assert!(before.is_none_or(|before| before < id), "in the order of sending");
                }
            }
        }
    }
}
