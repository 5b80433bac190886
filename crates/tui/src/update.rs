//! What an event does to the state, and what it asks for. Pure: the same events give the same state and effects.

use parlour_client::{
    effect::{self, Effect},
    link::Millis,
    store::{News, Outcome, Past, Rooms, Store},
};

use super::{
    chat::Chat,
    keys, revoked, rooms,
    state::{About, Event, LoginForm, Screen, State},
    unsent::AtStake,
};
use crate::protocol::GENERAL;

/// So long a sentence stays whatever is typed: it can be read.
const READ: Millis = 5_000;
/// So long it stays when nothing is typed.
const LEFT: Millis = 30_000;

/// Takes one event in.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let effects = match event {
        Event::Key(key) => {
            state.outlived(READ);
            keys::press(state, key)
        }
        Event::Paste(text) => keys::paste(state, &text),
        Event::Resize(columns, rows) => {
            state.size = (columns, rows);
            Vec::new()
        }
        Event::Tick(now) => {
            let outcome = state.client.tick(now);
            state.outlived(LEFT);
            take_in(state, outcome)
        }
        Event::Net(event) => network(state, event),
    };
    let told = state
        .hint
        .as_ref()
        .filter(|hint| hint.about == About::Leaving);
    if told.zip(state.warned.as_ref()).is_some_and(|(_, warned)| {
        let now = AtStake::of(state);
        now.is_nothing() || !now.is_within(warned)
    }) {
        state.settled(About::Leaving);
    }
    effects
}

fn network(state: &mut State, event: effect::Event) -> Vec<Effect> {
    match event {
        effect::Event::LoggedIn(username) => logged_in(state, &username),
        effect::Event::LoginFailed(detail) => {
            if let Screen::Login(form) = &mut state.screen {
                form.is_busy = false;
                form.error = Some(detail);
            }
            Vec::new()
        }
        effect::Event::Answer { ask, result } => {
            let (asked, told) = (ask.clone(), result.clone());
            let outcome = state.client.take(effect::Event::Answer {
                ask: asked,
                result: told,
            });
            let mut effects = take_in(state, outcome);
            effects.extend(rooms::answered(state, ask, result));
            effects
        }
        effect::Event::LogoutUntold(why) => {
            if let Screen::Login(form) = &mut state.screen {
                form.error = Some(format!(
                    "Your login is forgotten on this computer, but not on the server, for up to 30 days: {why} Whoever runs it can end it with `parlour users sign-out`."
                ));
            }
            Vec::new()
        }
        event => {
            let was_connected = state.client.link().is_connected();
            let outcome = state.client.take(event);
            if !was_connected && state.client.link().is_connected() {
                // What did not work without a connection was said before.
                state.settled(About::Typed);
                state.settled(About::Fetch);
            }
            take_in(state, outcome)
        }
    }
}

fn logged_in(state: &mut State, username: &str) -> Vec<Effect> {
    let me = state.client.store.me();
    if state.chat.is_none() || !me.eq_ignore_ascii_case(username) {
        state.client.store = Store::new(username, Past::Pages, Rooms::All);
        state.chat = Some(Chat::new(GENERAL));
        state.others.clear();
        state.people.clear();
        state.lines.clear();
    }
    state.screen = Screen::Chat;
    state.hint = None;
    state.client.connect()
}

/// Shows what is new, and passes on what is to be done.
fn take_in(state: &mut State, outcome: Outcome) -> Vec<Effect> {
    let mut effects = outcome.effects;
    for news in outcome.news {
        match news {
            News::Joined { room } => effects.extend(rooms::joined(state, &room)),
            News::Gone { room } => rooms::gone(state, &room),
            News::Shown { room, .. } => {
                let is_read = state.chat_of(&room).map(|chat| chat.top.is_none());
                if is_read == Some(true) {
                    state.client.store.read(&room);
                }
                if is_read != Some(false) {
                    state.client.store.trim(&room);
                }
            }
            News::Older { room, before } => {
                if let Some(chat) = state.chat_of(&room) {
                    chat.keep_place(before);
                }
            }
            News::Forgotten { room } => {
                if let Some(chat) = state.chat_of(&room) {
                    chat.to_end();
                }
            }
            News::Refused(error) => {
                rooms::give_back(state, None);
                state.hint(About::Typed, error.detail);
            }
            News::FetchFailed(detail) => state.hint(About::Fetch, detail),
            News::Fetched => state.settled(About::Fetch),
            News::LoginEnded(detail) => ask_to_log_in(state, detail),
            News::LoginRevoked(why) => ask_to_log_in(state, revoked(&why, "log in again")),
            // The bar shows the one, and what cannot be fetched tells the other.
            News::Disconnected | News::NotMember { .. } | News::People => {}
        }
    }
    effects
}

fn ask_to_log_in(state: &mut State, why: String) {
    let form = LoginForm::new(state.client.store.me(), Some(why));
    state.screen = Screen::Login(Box::new(form));
    (state.help, state.sheet, state.public, state.switcher) = (None, None, None, None);
}
