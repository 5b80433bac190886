//! What an event does to the state, and what it asks for. Pure: the same events give the same state and effects.

use parlour_client::{
    api::{Page, Query},
    follow::Step,
    link::{Act, Millis},
    net::{self, Effect},
};

use super::{
    chat::{Chat, Older},
    keys,
    state::{About, Event, Hint, LoginForm, Screen, State},
};
use crate::protocol::{
    GENERAL, close,
    command::{Command, Request},
    event::{self, Notice, System},
};

/// Takes one event in.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let mut effects = match event {
        Event::Key(key) => keys::press(state, key),
        Event::Paste(text) => keys::paste(state, &text),
        Event::Resize(columns, rows) => {
            state.size = (columns, rows);
            Vec::new()
        }
        Event::Tick(now) => tick(state, now),
        Event::Net(event) => network(state, event),
        Event::Stop => {
            state.is_over = true;
            Vec::new()
        }
    };
    effects.extend(send_next(state));
    if state
        .chat
        .as_ref()
        .is_none_or(|chat| chat.outbox.unsent() == 0)
    {
        state.settled(About::Leaving);
    }
    effects
}

/// Takes in what the network brought.
fn network(state: &mut State, event: net::Event) -> Vec<Effect> {
    match event {
        net::Event::LoggedIn(username) => logged_in(state, &username),
        net::Event::LoginFailed(detail) => {
            if let Screen::Login(form) = &mut state.screen {
                form.is_busy = false;
                form.error = Some(detail);
            }
            Vec::new()
        }
        net::Event::LoginEnded(detail) => login_ended(state, detail),
        net::Event::Frame { attempt, frame } if state.link.is_current(attempt) => {
            frame_came(state, *frame)
        }
        net::Event::Heard { attempt } if state.link.is_current(attempt) => {
            state.link.heard(state.now);
            Vec::new()
        }
        net::Event::Closed {
            attempt,
            code,
            why,
            after,
        } if state.link.is_current(attempt) => {
            if let Some(after) = after {
                state.link.told_to_return(after);
            }
            if let Some(chat) = &mut state.chat {
                if code == Some(close::TOO_LARGE) {
                    chat.outbox.too_large();
                }
                chat.outbox.disconnected();
            }
            let acts = state.link.closed(state.now, code, why, &mut state.dice);
            perform(state, acts)
        }
        // About a socket that is no longer ours.
        net::Event::Frame { .. } | net::Event::Heard { .. } | net::Event::Closed { .. } => {
            Vec::new()
        }
        net::Event::Page { query, tag, result } => page_came(state, query, tag, result),
    }
}

/// Opens a socket now, whatever the connection was about to do.
pub(super) fn reconnect(state: &mut State) -> Vec<Effect> {
    let act = state.link.open(state.now);
    perform(state, vec![act])
}

/// Asks for the page before the oldest message, if there is one and it was not asked for yet.
pub(super) fn fetch_older(chat: &mut Chat) -> Option<Effect> {
    let oldest = chat.oldest()?;
    if chat.older != Older::More {
        return None;
    }
    chat.older = Older::Loading;
    Some(Effect::Fetch {
        room: chat.room.clone(),
        query: Query::Before(oldest),
        tag: chat.history,
    })
}

fn logged_in(state: &mut State, username: &str) -> Vec<Effect> {
    let is_same = |chat: &Chat| chat.me.eq_ignore_ascii_case(username);
    if !state.chat.as_ref().is_some_and(is_same) {
        state.chat = Some(Chat::new(GENERAL, username));
    }
    state.screen = Screen::Chat;
    state.hint = None;
    reconnect(state)
}

fn login_ended(state: &mut State, detail: String) -> Vec<Effect> {
    state.link.stop("logged out");
    let name = state.chat.as_ref().map(|chat| chat.me.clone());
    if let Some(chat) = &mut state.chat {
        chat.outbox.disconnected();
    }
    state.screen = Screen::Login(Box::new(LoginForm::new(
        &name.unwrap_or_default(),
        Some(detail),
    )));
    state.help = None;
    vec![Effect::Drop]
}

fn tick(state: &mut State, now: Millis) -> Vec<Effect> {
    state.now = now;
    if matches!(state.screen, Screen::Login(_)) {
        return Vec::new();
    }
    let acts = state.link.tick(now, &mut state.dice);
    let mut effects = perform(state, acts);
    if state.link.is_connected()
        && let Some(chat) = &mut state.chat
        && chat.fetch_again.is_some_and(|at| at <= now)
    {
        chat.fetch_again = None;
        let steps = chat.follower.again();
        effects.extend(follow(chat, now, steps));
    }
    effects
}

fn perform(state: &mut State, acts: Vec<Act>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for act in acts {
        match act {
            Act::Open { attempt, fresh } => effects.push(Effect::Open { attempt, fresh }),
            Act::Drop => {
                if let Some(chat) = &mut state.chat {
                    chat.outbox.disconnected();
                }
                effects.push(Effect::Drop);
            }
            Act::Ping => effects.push(Effect::Say(Request::new(Command::Ping))),
            Act::LogIn => {
                let detail = "Your login was ended: log in again.";
                effects.extend(login_ended(state, detail.into()));
            }
        }
    }
    effects
}

/// The next message on its way, if the line is open.
fn send_next(state: &mut State) -> Option<Effect> {
    if !state.link.is_connected() {
        return None;
    }
    let chat = state.chat.as_mut()?;
    let most = chat.limits.frame_bytes;
    let next = chat.outbox.next(state.now, &chat.room, most);
    next.map(Effect::Say)
}

fn frame_came(state: &mut State, frame: event::Event) -> Vec<Effect> {
    let now = state.now;
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    state.link.heard(now);
    let steps = match frame {
        event::Event::System(System { message, notice }) => {
            if let Notice::Connected(hello) = notice {
                state.link.connected(now, &hello);
                chat.greet(&hello);
                chat.fetch_again = None;
                chat.follower.connected(&hello)
            } else {
                chat.notice(message, &notice);
                Vec::new()
            }
        }
        event::Event::Message(message) => chat.follower.message(message),
        event::Event::Ack(ack) => {
            chat.acked(&ack);
            Vec::new()
        }
        event::Event::Error(error) => {
            if let Some(steps) = chat.follower.refused(&error) {
                steps
            } else {
                if !chat.outbox.refused(now, &error) {
                    state.hint = Some(Hint {
                        text: error.detail,
                        about: About::Typed,
                    });
                }
                Vec::new()
            }
        }
        event::Event::Synced { rooms, .. } => match rooms.get(&chat.room) {
            Some(room) => chat.follower.synced(*room),
            None => Vec::new(),
        },
        event::Event::Lag { room, seq } => chat.follower.lag(&room, seq),
        event::Event::Reconnect { after_ms } => {
            state.link.told_to_return(after_ms);
            Vec::new()
        }
        event::Event::Pong { .. } | event::Event::Unknown => Vec::new(),
    };
    follow(chat, now, steps)
}

fn page_came(
    state: &mut State,
    query: Query,
    tag: u64,
    result: Result<Page, String>,
) -> Vec<Effect> {
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    let is_wanted = match query {
        Query::Before(_) => tag == chat.history,
        Query::Latest | Query::Since(_) => tag == chat.follower.visit(),
    };
    if !is_wanted {
        return Vec::new();
    }
    let Page { messages, more } = match result {
        Ok(page) => page,
        Err(detail) => {
            if matches!(query, Query::Before(_)) {
                chat.older = Older::More;
            } else {
                chat.fetch_later(state.now);
            }
            state.hint(About::Fetch, detail);
            return Vec::new();
        }
    };
    // It works again.
    state.hint.take_if(|hint| hint.about == About::Fetch);
    let steps = match query {
        Query::Before(_) => {
            chat.take_older(messages, !more);
            return Vec::new();
        }
        Query::Latest => {
            chat.take_older(Vec::new(), !more);
            chat.follower.latest(messages)
        }
        Query::Since(_) => chat.follower.page(messages, more),
    };
    let effects = follow(chat, state.now, steps);
    if chat.oldest() == Some(1) {
        chat.older = Older::AllRead;
    }
    effects
}

fn follow(chat: &mut Chat, now: Millis, steps: Vec<Step>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for step in steps {
        match step {
            Step::FetchLatest => effects.push(fetch(chat, Query::Latest)),
            Step::FetchSince(seq) => effects.push(fetch(chat, Query::Since(seq))),
            Step::Say(request) => effects.push(Effect::Say(request)),
            Step::Pause => chat.fetch_later(now),
            Step::Show(messages) => chat.take(messages),
            Step::Forget => chat.forget(),
        }
    }
    effects
}

fn fetch(chat: &Chat, query: Query) -> Effect {
    Effect::Fetch {
        room: chat.room.clone(),
        query,
        tag: chat.follower.visit(),
    }
}
