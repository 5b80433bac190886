//! Questions in a terminal whose answers are not shown.

use std::io::{self, Write as _};

use crossterm::{
    event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
    terminal,
};
use unicode_segmentation::UnicodeSegmentation as _;

/// While it lives, the terminal shows nothing of what is typed.
struct Unseen;

impl Unseen {
    fn begin() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        let _the_terminal_is_gone = terminal::disable_raw_mode();
    }
}

/// Asks these questions on standard error, one after the other, and tells the answers; `None` when they were called off
/// (Ctrl+C, Ctrl+D).
///
/// # Errors
/// When the terminal cannot be used.
pub fn ask_unseen<const N: usize>(questions: [&str; N]) -> io::Result<Option<[String; N]>> {
    // Before the first question, so that nothing is shown of what is typed as soon as it is there.
    let _unseen = Unseen::begin()?;
    let mut answers = std::array::from_fn(|_| String::new());
    for (question, answer) in questions.into_iter().zip(&mut answers) {
        match typed(question)? {
            Some(text) => *answer = text,
            None => return Ok(None),
        }
    }
    Ok(Some(answers))
}

/// What is typed after this question, up to Enter.
fn typed(question: &str) -> io::Result<Option<String>> {
    let mut err = io::stderr().lock();
    let mut show = |text: &str| write!(err, "{text}").and_then(|()| err.flush());
    show(question)?;
    let mut text = String::new();
    loop {
        let key = match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => key,
            Event::Paste(pasted) => {
                text.push_str(&pasted);
                continue;
            }
            _ => continue,
        };
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => break,
            KeyCode::Char('j' | 'm') if with_control => break,
            KeyCode::Char('c' | 'd') if with_control => {
                show("\r\n")?;
                return Ok(None);
            }
            KeyCode::Char('u') if with_control => text.clear(),
            KeyCode::Char(letter) if !with_control => text.push(letter),
            KeyCode::Backspace => {
                let last = text.grapheme_indices(true).next_back();
                text.truncate(last.map_or(0, |(at, _)| at));
            }
            _ => {}
        }
    }
    show("\r\n")?;
    Ok(Some(text))
}
