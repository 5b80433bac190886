//! What is lost when the program ends before it was sent. A user who leaves is asked once; for when nobody was asked, the
//! words themselves, so that they can be sent again.

use std::collections::{BTreeMap, BTreeSet};

use parlour_client::store::Delivery;

use super::{chat::Place, drafts, state::State};

/// What would be lost if the program ended now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtStake {
    /// Messages that are sent and not stored.
    messages: usize,
    /// What is written in rooms and threads.
    drafts: BTreeMap<Place, String>,
}

impl AtStake {
    /// What it is now.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let panes = state.chat.iter().chain(state.others.values());
        let drafts = panes.filter_map(|chat| {
            let written = chat.input.lines().join("\n");
            let is_something = !written.trim().is_empty() && !drafts::is_kept(chat);
            is_something.then(|| (chat.place(), written))
        });
        Self {
            messages: state.client.store.unsent(),
            drafts: drafts.collect(),
        }
    }

    /// Whether nothing would be lost.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.messages == 0 && self.drafts.is_empty()
    }

    /// Whether all of it is part of the other.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let mut drafts = self.drafts.iter();
        self.messages <= other.messages
            && drafts.all(|(key, text)| other.drafts.get(key) == Some(text))
    }

    /// What would be lost, for the one who is leaving.
    #[must_use]
    pub fn warning(&self, state: &State) -> String {
        let mut parts = Vec::new();
        match self.messages {
            0 => {}
            1 => parts.push("1 message is not stored on the server yet".to_owned()),
            count => parts.push(format!("{count} messages are not stored on the server yet")),
        }
        if !self.drafts.is_empty() {
            let store = &state.client.store;
            let rooms: BTreeSet<_> = self.drafts.keys().map(|(key, _)| key).collect();
            let rooms = rooms.into_iter().map(|key| {
                let room = store.room(key);
                room.map_or_else(|| key.clone(), |room| room.label(store.user_id()))
            });
            let rooms: Vec<_> = rooms.collect();
            parts.push(format!(
                "what you wrote in {} is not sent",
                rooms.join(", ")
            ));
        }
        let what = parts.join(", and ");
        let mut letters = what.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let what: String = first.into_iter().chain(letters).collect();
        format!("{what}, and would be lost: do it again to leave anyway.")
    }
}

/// A sentence with what would be lost if the program ended now; `None` when nothing would.
#[must_use]
pub fn sentence(state: &State) -> Option<String> {
    let (mut unsent, mut on_its_way) = (Vec::new(), Vec::new());
    let rooms = state.client.store.rooms();
    for pending in rooms.flat_map(|(_, room)| room.outbox().iter()) {
        match pending.delivery {
            Delivery::Sent(_) => on_its_way.push(pending.content.clone()),
            Delivery::Waiting | Delivery::Refused(_) => unsent.push(pending.content.clone()),
        }
    }
    unsent.extend(AtStake::of(state).drafts.into_values());
    let mut parts = Vec::new();
    if !unsent.is_empty() {
        parts.push(format!("This was not sent: {}.", quoted(&unsent)));
    }
    if !on_its_way.is_empty() {
        parts.push(format!(
            "This was on its way, and is perhaps not stored: {}.",
            quoted(&on_its_way)
        ));
    }
    (!parts.is_empty()).then(|| format!("The client was made to end. {}", parts.join(" ")))
}

fn quoted(texts: &[String]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("“{text}”")).collect();
    quoted.join(", ")
}
