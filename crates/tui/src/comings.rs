//! Who comes online and who goes offline, as it stands in the conversation. The server's words for it read as if somebody had
//! come into a room or left it. And who lost the connection with this user, and comes back as this user does, is no news.

use parlour_client::{effect, link::Millis};

use super::state::State;
use crate::protocol::event::{Event, Notice, System, crowd_sentence};

/// So long after the connection is back it is not told who comes and goes.
const SETTLING: Millis = 20_000;

/// The connection is lost.
pub fn disconnected(state: &mut State) {
    state.quiet_until = Millis::MAX;
}

/// The connection is there, or there again.
pub fn connected(state: &mut State) {
    if state.quiet_until == Millis::MAX {
        state.quiet_until = state.client.now() + SETTLING;
    }
}

/// Gives what the server says of who comes and goes the words that are to be shown: none, where it is not to be.
pub fn reword(state: &State, event: &mut effect::Event) {
    let effect::Event::Frame { frame, .. } = event else {
        return;
    };
    let Event::System(System { message, notice }) = &mut **frame else {
        return;
    };
    let (usernames, what) = match notice {
        Notice::Joined { usernames } => (usernames, "here"),
        Notice::Left { usernames } => (usernames, "offline"),
        Notice::Connected(_) => return,
    };
    *message = if state.client.now() < state.quiet_until {
        String::new()
    } else {
        sentence(usernames, what)
    };
}

fn sentence(usernames: &[String], what: &str) -> String {
    let who = crowd_sentence(usernames, "left");
    let who = who.strip_suffix(" left the chat").unwrap_or_default();
    let is = if usernames.len() == 1 { "is" } else { "are" };
    format!("{who} {is} {what}")
}
