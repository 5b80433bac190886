//! What keys do: editing, scrolling, commands.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use parlour_client::{net::Effect, outbox};

use super::{
    chat::Chat,
    draw,
    state::{About, Field, LoginForm, Mode, Screen, State},
    typing,
    update::{fetch_older, reconnect},
    view::{View, Wall},
};

/// More than so many messages' worth of text is not pasted: there is room to cut it, and the screen stays quick.
const LONGEST_PASTE: usize = 4;

/// What `/help` says.
pub const HELP: [(&str, &str); 14] = [
    ("Enter", "send"),
    ("Alt+Enter, Ctrl+J", "new line"),
    ("PageUp, PageDown", "scroll"),
    (
        "Home, End",
        "oldest at hand, newest (when nothing is written)",
    ),
    (
        "Up, Down",
        "scroll by a line (when there is no line to go to)",
    ),
    ("Ctrl+A, Ctrl+E", "start, end of the line"),
    (
        "Ctrl+W, Ctrl+U, Ctrl+K",
        "delete a word, to the start, to the end",
    ),
    ("Ctrl+Z, Ctrl+Y", "undo, bring back what was deleted"),
    ("/edit", "take a message back that was refused"),
    ("/reconnect", "try to connect now"),
    ("/logout", "end this login and forget it on this computer"),
    ("/quit, Ctrl+C", "leave"),
    ("//text", "send a line that starts with /"),
    ("/help", "this page; arrows scroll it, Esc closes it"),
];

/// A key was pressed.
pub fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    if is_ctrl && key.code == KeyCode::Char('c') {
        leave(state);
        return Vec::new();
    }
    if let Some(row) = state.help {
        state.help = press_in_help(row, state.size, key.code);
        return Vec::new();
    }
    match &mut state.screen {
        Screen::Login(form) => {
            if key.code == KeyCode::Esc {
                leave(state);
                return Vec::new();
            }
            press_in_form(form, key).into_iter().collect()
        }
        Screen::Chat => press_in_chat(state, key),
    }
}

/// Text was pasted.
pub fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    match (&mut state.screen, &mut state.chat) {
        (Screen::Login(form), _) if !form.is_busy => {
            let first = text.lines().next().unwrap_or_default();
            let field = match form.field {
                Field::Username => &mut form.username,
                Field::Password => &mut form.password,
            };
            field.insert_str(first);
        }
        (Screen::Chat, Some(chat)) if text.len() > LONGEST_PASTE * chat.limits.content_bytes => {
            let text = "This is too long to be pasted: it fits no message.";
            state.hint(About::Typed, text);
        }
        (Screen::Chat, Some(chat)) => {
            chat.input.insert_str(text);
        }
        _ => {}
    }
    Vec::new()
}

/// The help's first row after a key; `None`: it is closed.
fn press_in_help(row: usize, size: (u16, u16), key: KeyCode) -> Option<usize> {
    let (end, page) = draw::help_extent(size);
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

fn press_in_form(form: &mut LoginForm, key: KeyEvent) -> Option<Effect> {
    if form.is_busy {
        return None;
    }
    match key.code {
        KeyCode::Char('r') if key.modifiers.contains(KeyModifiers::CONTROL) => {
            form.mode = match form.mode {
                Mode::LogIn => Mode::Register,
                Mode::Register => Mode::LogIn,
            };
            form.error = None;
        }
        KeyCode::Tab | KeyCode::BackTab => {
            form.field = match form.field {
                Field::Username => Field::Password,
                Field::Password => Field::Username,
            };
        }
        KeyCode::Up => form.field = Field::Username,
        KeyCode::Down => form.field = Field::Password,
        KeyCode::Enter => return submit_form(form),
        // Would start a new line.
        KeyCode::Char('j' | 'm') if key.modifiers.contains(KeyModifiers::CONTROL) => {}
        _ => {
            let field = match form.field {
                Field::Username => &mut form.username,
                Field::Password => &mut form.password,
            };
            typing::input(field, key);
        }
    }
    None
}

fn submit_form(form: &mut LoginForm) -> Option<Effect> {
    let username = form.name();
    if username.is_empty() {
        form.field = Field::Username;
        form.error = Some("Type a username.".into());
        return None;
    }
    if form.password.is_empty() {
        if form.field == Field::Password {
            form.error = Some("Type the password.".into());
        }
        form.field = Field::Password;
        return None;
    }
    form.is_busy = true;
    form.error = None;
    Some(Effect::LogIn {
        register: form.mode == Mode::Register,
        username,
        password: form.take_password(),
    })
}

fn press_in_chat(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let status = draw::status_rows(state);
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let is_alone = key.modifiers.is_empty();
    let is_first_row = chat.input.cursor().0 == 0;
    let is_last_row = chat.input.cursor().0 + 1 == chat.input.lines().len();
    let is_empty = chat.input.is_empty();
    let page = draw::areas(state.size, chat, status)
        .talk
        .height
        .saturating_sub(2);
    match key.code {
        KeyCode::Enter if is_alone => return submit(state),
        KeyCode::Enter => chat.input.insert_newline(),
        KeyCode::Char('j') if is_ctrl => chat.input.insert_newline(),
        KeyCode::Char('u') if is_ctrl => {
            chat.input.delete_line_by_head();
        }
        KeyCode::Char('z') if is_ctrl => {
            chat.input.undo();
        }
        KeyCode::PageUp => return scroll_up(state, page.max(1).into()),
        KeyCode::PageDown => scroll_down(state, page.max(1).into()),
        KeyCode::Up if is_alone && is_first_row => return scroll_up(state, 1),
        KeyCode::Down if is_alone && is_last_row => scroll_down(state, 1),
        KeyCode::Home if is_ctrl || is_empty => return scroll_up(state, usize::MAX),
        KeyCode::End if is_ctrl || is_empty => to_end(chat),
        KeyCode::Esc => {
            state.hint = None;
            to_end(chat);
        }
        KeyCode::Tab | KeyCode::BackTab => {}
        _ => {
            typing::input(&mut chat.input, key);
        }
    }
    Vec::new()
}

fn submit(state: &mut State) -> Vec<Effect> {
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    let text = chat.input.lines().join("\n");
    let text = text.trim_end();
    state.hint = None;
    if text.trim().is_empty() {
        chat.set_input("");
        return Vec::new();
    }
    let content = match text.strip_prefix('/') {
        Some(rest) if rest.starts_with('/') => rest,
        Some(command) => {
            let command = command.trim().to_owned();
            return obey(state, &command);
        }
        None => text,
    };
    let limit = chat.limits.content_bytes;
    if content.len() > limit {
        let over = content.len() - limit;
        let text = format!(
            "This is {over} bytes too long for one message: at most {limit} are taken. Shorten it or send it in parts."
        );
        state.hint(About::Typed, text);
        return Vec::new();
    }
    let client_id = format!("{:016x}{:016x}", state.dice.roll(), state.dice.roll());
    let request = outbox::request(&client_id, content, &chat.room);
    if let Some(why) = outbox::why_too_large(&request, chat.limits.frame_bytes) {
        state.hint(About::Typed, why);
        return Vec::new();
    }
    chat.outbox.push(client_id, content.to_owned());
    state.warned = false;
    chat.set_input("");
    to_end(chat);
    Vec::new()
}

fn obey(state: &mut State, command: &str) -> Vec<Effect> {
    const KNOWN: [&str; 8] = [
        "help",
        "?",
        "quit",
        "exit",
        "q",
        "reconnect",
        "logout",
        "edit",
    ];
    if !KNOWN.contains(&command) {
        // What was written stays where it can be changed: it may be a message that happens to start with a slash.
        let word = command.split_whitespace().next().unwrap_or_default();
        let text = format!(
            "There is no command /{word}: /help lists them. To send a line that starts with /, write //."
        );
        state.hint(About::Typed, text);
        return Vec::new();
    }
    if let Some(chat) = &mut state.chat {
        chat.set_input("");
    }
    match command {
        "help" | "?" => state.help = Some(0),
        "reconnect" if state.link.is_connected() => {
            state.hint(About::Typed, "The connection is open.");
        }
        "reconnect" => return reconnect(state),
        "logout" => return log_out(state),
        "edit" => {
            let refused = state
                .chat
                .as_mut()
                .and_then(|chat| chat.outbox.take_refused());
            match (refused, &mut state.chat) {
                (Some(refused), Some(chat)) => chat.set_input(&refused.content),
                _ => state.hint(About::Typed, "No message was refused."),
            }
        }
        _ => leave(state),
    }
    Vec::new()
}

fn log_out(state: &mut State) -> Vec<Effect> {
    if is_warning_due(state) {
        return Vec::new();
    }
    let name = state.chat.take().map(|chat| chat.me).unwrap_or_default();
    state.link.stop("logged out");
    let form = LoginForm::new(&name, Some("You are logged out.".into()));
    state.screen = Screen::Login(Box::new(form));
    vec![Effect::Drop, Effect::LogOut]
}

fn leave(state: &mut State) {
    if !is_warning_due(state) {
        state.is_over = true;
    }
}

/// Tells once that messages would be lost.
fn is_warning_due(state: &mut State) -> bool {
    let unsent = state.chat.as_ref().map_or(0, |chat| chat.outbox.unsent());
    if unsent == 0 || state.warned {
        return false;
    }
    state.warned = true;
    let what = if unsent == 1 {
        "1 message is".to_owned()
    } else {
        format!("{unsent} messages are")
    };
    let text = format!(
        "{what} not stored on the server yet and would be lost: do it again to leave anyway."
    );
    state.hint(About::Leaving, text);
    true
}

fn to_end(chat: &mut Chat) {
    chat.top = None;
    chat.unread = 0;
}

fn scroll_up(state: &mut State, rows: usize) -> Vec<Effect> {
    let (size, wall, status) = (state.size, state.wall, draw::status_rows(state));
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    let view = view_of(chat, size, status, wall);
    let (from, to) = (view.up(0), view.up(rows));
    if to != from {
        chat.top = Some(to);
    }
    if view_of(chat, size, status, wall).is_near_head() {
        return fetch_older(chat).into_iter().collect();
    }
    Vec::new()
}

fn scroll_down(state: &mut State, rows: usize) {
    let (size, wall, status) = (state.size, state.wall, draw::status_rows(state));
    if let Some(chat) = &mut state.chat {
        match view_of(chat, size, status, wall).down(rows) {
            Some(top) => chat.top = Some(top),
            None => to_end(chat),
        }
    }
}

fn view_of(chat: &Chat, size: (u16, u16), status: u16, wall: Wall) -> View<'_> {
    let talk = draw::areas(size, chat, status).talk;
    View {
        chat,
        width: talk.width.into(),
        height: talk.height.into(),
        wall,
    }
}
