//! What keys do in the login form.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use parlour_client::effect::Effect;

use crate::{
    state::{Field, LoginForm, Mode},
    typing,
};

/// A key was pressed in the form.
pub(super) fn press(form: &mut LoginForm, key: KeyEvent) -> Option<Effect> {
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
        KeyCode::Enter => return submit(form),
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

fn submit(form: &mut LoginForm) -> Option<Effect> {
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
