//! What an event does to the state, and what it asks for. Pure: the same events give the same state and effects.

use parlour_client::{
    effect::{self, Effect},
    link::Millis,
    store::{News, Outcome, Past, Rooms, Store},
};

use super::{
    acts,
    chat::Chat,
    comings, drafts, keys, later, people, reading, revoked, rooms, slash,
    state::{About, Event, LoginForm, Screen, State},
    telling,
    unsent::AtStake,
};
use crate::protocol::{GENERAL, event::Event as Frame};

/// So long a sentence stays whatever is typed: it can be read.
const READ: Millis = 5_000;
/// So long it stays when nothing is typed.
const LEFT: Millis = 30_000;

/// Takes one event in.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let effects = match event {
        Event::Key(key) => {
            state.outlived(READ);
            let mut effects = Vec::from_iter(people::in_use(state));
            effects.extend(keys::press(state, key));
            effects
        }
        Event::Paste(text) => keys::paste(state, &text),
        Event::Resize(columns, rows) => {
            state.size = (columns, rows);
            Vec::new()
        }
        Event::Tick(now) => {
            let outcome = state.client.tick(now);
            state.outlived(LEFT);
            let mut effects = take_in(state, outcome);
            effects.extend(drafts::ask(state));
            effects.extend(drafts::keep(state, false));
            effects.extend(people::not_in_use(state));
            effects
        }
        Event::Drawn => {
            reading::drawn(state);
            return Vec::new();
        }
        Event::Focus(is_watched) => {
            state.is_watched = is_watched;
            Vec::new()
        }
        Event::Net(event) => network(state, event),
    };
    acts::settle(state);
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
        mut event => {
            let was_connected = state.client.link().is_connected();
            let refused = refused_by(&event);
            comings::reword(state, &mut event);
            let outcome = state.client.take(event);
            if !was_connected && state.client.link().is_connected() {
                // What did not work without a connection was said before.
                state.settled(About::Typed);
                state.settled(About::Fetch);
                comings::connected(state);
            }
            let effects = take_in(state, outcome);
            if let Some(reference) = refused {
                slash::refused(state, &reference);
            }
            effects
        }
    }
}

/// What a frame refuses, by its `ref`.
fn refused_by(event: &effect::Event) -> Option<String> {
    let effect::Event::Frame { frame, .. } = event else {
        return None;
    };
    match &**frame {
        Frame::Error(error) => error.reference.clone(),
        _ => None,
    }
}

fn logged_in(state: &mut State, username: &str) -> Vec<Effect> {
    let me = state.client.store.me();
    if state.chat.is_none() || !me.eq_ignore_ascii_case(username) {
        state.client.store = Store::new(username, Past::Pages, Rooms::All);
        state.client.store.follow_threads();
        state.chat = Some(Chat::new(GENERAL, None));
        state.others.clear();
        state.people.clear();
        state.members.clear();
        state.lines.clear();
        state.later.clear();
    }
    let mut effects = state.client.store.follow_people();
    state.members_asked.clear();
    state.screen = Screen::Chat;
    state.hint = None;
    state.news.clear();
    state.quiet_until = 0;
    effects.extend(state.client.connect());
    effects
}

/// Shows what is new, and passes on what is to be done.
fn take_in(state: &mut State, outcome: Outcome) -> Vec<Effect> {
    let mut effects = outcome.effects;
    for news in outcome.news {
        match news {
            News::Joined { room } => effects.extend(rooms::joined(state, &room)),
            News::Gone { room } => rooms::gone(state, &room),
            News::Shown { room, messages } => {
                telling::come(state, &messages);
                let chat = state.chat_of(&room);
                if chat.is_none_or(|chat| chat.top.is_none() && !chat.is_seeking) {
                    state.client.store.trim(&room);
                }
            }
            News::Older { room, before } => {
                if let Some(chat) = state.chat_of(&room).filter(|chat| chat.thread.is_none()) {
                    chat.keep_place(before);
                }
            }
            News::Thread {
                room,
                first,
                before,
            } => {
                let chat = state.chat_of(&room);
                if let Some(chat) = chat.filter(|chat| chat.thread == Some(first)) {
                    chat.keep_place(before);
                }
            }
            News::Forgotten { room } => {
                let thread = state.chat_of(&room).and_then(|chat| {
                    chat.to_end();
                    chat.thread
                });
                let store = &mut state.client.store;
                effects.extend(thread.and_then(|first| store.open_thread(&room, first)));
            }
            News::Refused(error) => {
                rooms::give_back(state, None);
                state.hint(About::Typed, error.detail);
            }
            News::FetchFailed(detail) => state.hint(About::Fetch, detail),
            News::Fetched => state.settled(About::Fetch),
            News::LoginEnded(detail) => ask_to_log_in(state, detail),
            News::LoginRevoked(why) => ask_to_log_in(state, revoked(&why, "log in again")),
            News::Carried {
                command,
                room,
                done,
            } => effects.extend(slash::carried(state, &command, &room, done)),
            News::Scheduled(news) => later::told(state, *news),
            News::Draft { room, thread } => drafts::told(state, &(room, thread)),
            News::Disconnected => {
                drafts::disconnected(state);
                comings::disconnected(state);
            }
            // What cannot be fetched tells the one, and the screen shows the other.
            News::NotMember { .. } | News::People => {}
        }
    }
    drafts::drop_sent(state);
    effects.extend(reading::seek(state));
    effects
}

fn ask_to_log_in(state: &mut State, why: String) {
    let form = LoginForm::new(state.client.store.me(), Some(why));
    state.screen = Screen::Login(Box::new(form));
    state.uncover();
}
