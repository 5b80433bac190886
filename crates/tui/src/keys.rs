//! What keys do: in the form, in the help, and in a room. Which key does what in a room stands in `commands`.

mod form;
mod words;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use parlour_client::{
    effect::Effect,
    store::{Deed, Key},
};

use super::{
    acts,
    chat::{Chat, Task},
    commands::{self, Action},
    complete, drafts, draw, later, people, pick, reading,
    rooms::{self, switcher},
    state::{About, Field, LoginForm, Screen, Sheet, State},
    threads, typing,
    unsent::AtStake,
    view::{Anchor, Part},
};

/// More than so many messages' worth of text is not pasted: there is room to cut it, and the screen stays quick.
const LONGEST_PASTE: usize = 4;

/// A key was pressed.
pub fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if commands::of_key(key) == Some(Action::Leave) {
        return leave(state);
    }
    if commands::of_key(key) == Some(Action::Redraw) {
        state.is_screen_in_doubt = true;
        return Vec::new();
    }
    if is_for_popup(state, key.code) {
        return Vec::new();
    }
    if state.picker.is_some() {
        return pick::press(state, key.code);
    }
    if state.switcher.is_some() {
        return switcher::press(state, key);
    }
    match &mut state.screen {
        Screen::Login(form) => {
            if key.code == KeyCode::Esc {
                return leave(state);
            }
            form::press(form, key).into_iter().collect()
        }
        Screen::Chat => {
            let (written, place) = (written(state), state.chat.as_ref().map(Chat::place));
            let mut effects = press_in_chat(state, key);
            review(state, &written);
            if place == state.chat.as_ref().map(Chat::place) {
                effects.extend(people::typed(state, &written));
            }
            effects
        }
    }
}

pub(super) fn written(state: &State) -> String {
    let chat = state.chat.as_ref();
    chat.map_or_else(String::new, |chat| chat.input.lines().join("\n"))
}

/// What is written may have changed: what was said about it as it was before is no longer true.
fn review(state: &mut State, before: &str) {
    let Some(about) = state.hint.as_ref().map(|hint| hint.about) else {
        return;
    };
    let now = written(state);
    if now == before || !matches!(about, About::Written | About::TooLong) {
        return;
    }
    state.settled(about);
    let room = state.chat.as_ref().map_or("", |chat| &chat.room);
    if about == About::TooLong
        && let Err(why) = state.client.store.check(room, now.trim_end())
    {
        state.hint(About::TooLong, why);
    }
}

/// Text was pasted.
pub fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    (state.help, state.sheet, state.public, state.picker) = (None, None, None, None);
    let longest = LONGEST_PASTE * state.client.store.limits().content_bytes;
    match (&mut state.screen, &mut state.chat) {
        (Screen::Chat, _) if state.switcher.is_some() => {
            if let (Some(switcher), Some(line)) = (&mut state.switcher, text.lines().next()) {
                switcher.typed.push_str(line);
            }
        }
        (Screen::Login(form), _) if !form.is_busy => {
            let first = text.lines().next().unwrap_or_default();
            let field = match form.field {
                Field::Username => &mut form.username,
                Field::Password => &mut form.password,
            };
            field.insert_str(first);
        }
        (Screen::Chat, Some(_)) if text.len() > longest => {
            let text = "This is too long to be pasted: it fits no message.";
            state.hint(About::Written, text);
        }
        (Screen::Chat, Some(chat)) => {
            let before = chat.input.lines().join("\n");
            chat.input.insert_str(text);
            review(state, &before);
        }
        _ => {}
    }
    Vec::new()
}

/// Scrolls the help or the sheet that is open, or closes it. What only closes it does nothing else; any other key is also for
/// what lies below: whoever types over a list writes all of it.
fn is_for_popup(state: &mut State, key: KeyCode) -> bool {
    if let Some(row) = state.help {
        let (end, page) = draw::help_extent(state);
        state.help = scrolled(row, end, page, key);
        if state.help.is_some() {
            return true;
        }
    } else if let Some(sheet) = state.sheet.take() {
        let (end, page) = draw::sheet_extent(&sheet, state.size);
        let row = scrolled(sheet.row, end, page, key);
        state.sheet = row.map(|row| Sheet { row, ..sheet });
        if state.sheet.is_some() {
            return true;
        }
        // What was asked for it comes to no other sheet.
        state.public = None;
    } else {
        return false;
    }
    matches!(key, KeyCode::Esc | KeyCode::Enter)
}

/// The first row after a key; `None`: it is closed.
fn scrolled(row: usize, end: usize, page: usize, key: KeyCode) -> Option<usize> {
    let row = match key {
        KeyCode::Up => row.saturating_sub(1),
        KeyCode::Down => row + 1,
        KeyCode::PageUp => row.saturating_sub(page),
        KeyCode::PageDown | KeyCode::Char(' ') => row + page,
        KeyCode::Home => 0,
        KeyCode::End => end,
        _ => return None,
    };
    Some(row.min(end))
}

fn press_in_chat(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if commands::of_key(key) == Some(Action::NextUnread) && !written(state).is_empty() {
        return complete::complete(state);
    }
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    let is_first_row = chat.input.cursor().0 == 0;
    let is_last_row = chat.input.cursor().0 + 1 == chat.input.lines().len();
    let goes_far = chat.input.is_empty() || key.modifiers.contains(KeyModifiers::CONTROL);
    match commands::of_key(key) {
        Some(Action::Oldest | Action::Newest) if !goes_far => typing::input(&mut chat.input, key),
        Some(Action::LineUp) if chat.input.is_empty() && chat.top.is_none() => {
            let action = if acts::has_own(state) {
                Action::Edit
            } else {
                Action::LineUp
            };
            return act(state, action);
        }
        Some(Action::LineUp) if !is_first_row => typing::input(&mut chat.input, key),
        Some(Action::LineDown) if !is_last_row => typing::input(&mut chat.input, key),
        Some(action) => return act(state, action),
        None if key.code == KeyCode::BackTab => {}
        None => typing::input(&mut chat.input, key),
    }
    Vec::new()
}

fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Send => {
            let mut effects = submit(state);
            effects.extend(drafts::keep(state, false));
            return effects;
        }
        Action::PageUp => return scroll_up(state, page_of(state)),
        Action::LineUp => return scroll_up(state, 1),
        Action::Oldest => return scroll_up(state, usize::MAX),
        Action::PageDown => scroll_down(state, page_of(state)),
        Action::LineDown => scroll_down(state, 1),
        Action::Help => state.help = Some(0),
        Action::Reconnect if state.client.link().is_connected() => {
            state.hint(About::Typed, "The connection is open.");
        }
        Action::Reconnect => return state.client.connect(),
        Action::LogOut => return log_out(state),
        Action::Leave => return leave(state),
        Action::Redraw => state.is_screen_in_doubt = true,
        Action::PickUp => return pick(state, true),
        Action::PickDown => return pick(state, false),
        Action::Edit | Action::Reply | Action::Delete | Action::React | Action::Pin => {
            let unseen = (action == Action::Delete).then(|| choose_unseen(state));
            return match unseen.flatten() {
                Some(effects) => effects,
                None => acts::obey(state, action, ""),
            };
        }
        Action::NextUnread => return rooms::go_to_unread(state),
        Action::FirstUnread => return reading::to_first(state),
        Action::MarkUnread => reading::mark_unread(state),
        Action::Threads => pick::threads(state),
        Action::WhoIs | Action::Save | Action::Saved => return people::act(state, action),
        Action::Scheduled => return later::list(state),
        Action::Thread => return threads::open_or_leave(state),
        Action::AlsoToRoom => threads::also_to_room(state),
        Action::NewLine
        | Action::DeleteToStart
        | Action::Undo
        | Action::Newest
        | Action::Escape => return act_in_pane(state, action),
        // All others are about rooms.
        _ => match rooms::obey(state, action, "") {
            Ok(effects) => return effects,
            Err(why) => state.hint(About::Typed, why),
        },
    }
    Vec::new()
}

/// What touches nothing but the pane.
fn act_in_pane(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    match action {
        Action::NewLine => chat.input.insert_newline(),
        Action::DeleteToStart => {
            chat.input.delete_line_by_head();
        }
        Action::Undo => {
            chat.input.undo();
        }
        Action::Escape => {
            (state.hint, state.way, state.awaited) = (None, None, None);
            match chat.task {
                Task::Write if chat.thread.is_some() && chat.top.is_none() => {
                    return threads::leave(state);
                }
                Task::Write => state.to_end(),
                Task::Edit(..) | Task::Later(_) => chat.begin(Task::Write, ""),
                Task::Answer(_) => chat.task = Task::Write,
            }
        }
        Action::Newest => to_newest(state),
        _ => state.to_end(),
    }
    Vec::new()
}

/// Shows the newest message, also where much that was not sent stands below it.
fn to_newest(state: &mut State) {
    state.to_end();
    let newest = draw::view(state).and_then(|view| view.hidden_newest());
    if let Some(chat) = &mut state.chat {
        chat.top = newest;
    }
}

fn submit(state: &mut State) -> Vec<Effect> {
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    let text = chat.input.lines().join("\n");
    let text = text.trim_end();
    state.hint = None;
    if !text.starts_with('/') {
        (state.doubted, state.leaving) = (None, None);
    }
    if text.trim().is_empty() {
        chat.begin(Task::Write, "");
        return Vec::new();
    }
    let content = match text.strip_prefix('/') {
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) => {
            let line = text.to_owned();
            return words::obey(state, &line);
        }
        None => text,
    };
    if state.way.is_some() {
        let text = "Another room is being opened: press Enter again when it is there, or Esc to stay here.";
        state.hint(About::Typed, text);
        return Vec::new();
    }
    let deed = match chat.task {
        Task::Write => post(chat, None),
        Task::Answer(id) => post(chat, Some(id)),
        Task::Edit(id, seq) => Deed::Edit(id, seq),
        Task::Later(id) => return later::set_text(state, id, content),
    };
    match state.client.post(&chat.room, deed, content) {
        Ok(effects) => {
            state.warned = None;
            chat.begin(Task::Write, "");
            chat.is_also_to_room = false;
            state.to_end();
            effects
        }
        Err(why) => {
            state.hint(About::TooLong, why);
            Vec::new()
        }
    }
}

/// A message that is written in this pane.
fn post(chat: &Chat, reply_to: Option<u64>) -> Deed {
    Deed::Post {
        reply_to,
        thread: chat.thread,
        also_to_room: chat.thread.is_some() && chat.is_also_to_room,
    }
}

fn log_out(state: &mut State) -> Vec<Effect> {
    if is_warning_due(state) {
        return Vec::new();
    }
    let mut effects = state.client.stop("logged out");
    effects.push(Effect::LogOut);
    let known = std::mem::take(&mut state.client.store);
    let form = LoginForm::new(known.me(), Some("You are logged out.".into()));
    state.chat = None;
    state.others.clear();
    state.screen = Screen::Login(Box::new(form));
    effects
}

/// What is written is kept on the server, if there is a way to it; the program waits for that a little.
fn leave(state: &mut State) -> Vec<Effect> {
    let effects = drafts::keep(state, true);
    if !is_warning_due(state) {
        state.is_over = true;
    }
    effects
}

/// Tells once what would be lost.
fn is_warning_due(state: &mut State) -> bool {
    let at_stake = AtStake::of(state);
    let is_told = |told: &AtStake| at_stake.is_within(told);
    if at_stake.is_nothing() || state.warned.as_ref().is_some_and(is_told) {
        return false;
    }
    let text = at_stake.warning(state);
    state.warned = Some(at_stake);
    // What covers the screen would cover the warning.
    state.uncover();
    match &mut state.screen {
        Screen::Login(form) => form.error = Some(text),
        Screen::Chat => state.hint(About::Leaving, text),
    }
    true
}

fn scroll_up(state: &mut State, rows: usize) -> Vec<Effect> {
    let Some(view) = draw::view(state) else {
        return Vec::new();
    };
    let (from, to) = (view.up(0), view.up(rows));
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    if to != from {
        chat.top = Some(to);
    }
    chat.is_seeking = false;
    let (room, thread) = chat.place();
    if draw::view(state).is_some_and(|view| view.is_near_head()) {
        let older = state.client.store.fetch_older(&room, thread);
        return older.into_iter().collect();
    }
    Vec::new()
}

/// Chooses the message before or after the chosen one, and shows it.
fn pick(state: &mut State, is_up: bool) -> Vec<Effect> {
    let key = acts::pick(state, is_up);
    key.map_or_else(Vec::new, |key| show(state, key))
}

/// Chooses what would be deleted and is not on the screen, so that it is seen first. Whether there was such a message.
fn choose_unseen(state: &mut State) -> Option<Vec<Effect>> {
    let key = acts::deleted_next(state)?;
    if draw::view(state)?.shows(Part::Item(key)) {
        return None;
    }
    state.chat.as_mut()?.picked = Some(key.0);
    let text = "This is your last message here: /delete again deletes it, Esc leaves it as it is.";
    state.hint(About::Typed, text);
    Some(show(state, key))
}

fn show(state: &mut State, key: Key) -> Vec<Effect> {
    let part = Part::Item(key);
    if draw::view(state).is_some_and(|view| !view.shows(part))
        && let Some(chat) = &mut state.chat
    {
        chat.top = Some(Anchor { part, row: 0 });
    }
    scroll_up(state, 0)
}

fn scroll_down(state: &mut State, rows: usize) {
    let Some(top) = draw::view(state).map(|view| view.down(rows)) else {
        return;
    };
    match (top, &mut state.chat) {
        (Some(top), Some(chat)) => chat.top = Some(top),
        _ => state.to_end(),
    }
}

/// Rows that a screen is scrolled by.
fn page_of(state: &State) -> usize {
    let rows = draw::view(state).map_or(0, |view| view.height);
    rows.saturating_sub(2).max(1)
}
