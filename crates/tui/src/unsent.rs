//! What is lost when the program ends before it was sent, for when nobody was asked: the words themselves, so that they
//! can be sent again.

use parlour_client::store::Delivery;

use super::state::State;

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
    for chat in state.chat.iter().chain(state.others.values()) {
        let written = chat.input.lines().join("\n");
        if !written.trim().is_empty() {
            unsent.push(written);
        }
    }
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
