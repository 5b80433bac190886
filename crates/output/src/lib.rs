//! What the commands say on standard output and on standard error. Nothing else prints: `println!` panics when the
//! reader of a pipe has gone (`parlour doctor | head -1`) or the disk is full.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write as _},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    time::Timespec,
};

/// Exit code of a program whose reader has gone, as shells have it for those that a signal ends.
const READER_GONE: i32 = 141;
/// Exit code of a program that did not get rid of its words.
const FAILED: i32 = 1;

/// Prints a text to standard output as it is, and sees it off.
///
/// # Errors
/// When nobody reads it, or it cannot be written: [`exit_code`] is for both.
pub fn print(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{text}")?;
    out.flush()
}

/// Prints a line to standard output.
///
/// # Errors
/// As [`print`].
pub fn line(text: impl Display) -> io::Result<()> {
    print(format_args!("{text}\n"))
}

/// Says something on standard error. Where nobody reads it, it is lost, and costs nothing.
pub fn tell(text: impl Display) {
    let _nobody_reads = writeln!(io::stderr().lock(), "{text}");
}

/// Says what is wrong on standard error. A sentence may quote a file or a row, so no terminal obeys any of it.
pub fn complain(sentence: impl Display) {
    tell(visible_lines(&format!("parlour: {sentence}")));
}

/// The exit code of a command that printed: a reader that has gone ends it in silence, a full disk with a sentence.
#[must_use]
pub fn exit_code(printed: io::Result<()>) -> i32 {
    match printed {
        Ok(()) => 0,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => READER_GONE,
        Err(error) => {
            complain(unwritten(&error));
            FAILED
        }
    }
}

/// The lines of a text, each as [`visible`] shows it.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

/// A text of a file or a row, on one line, in which what a terminal would obey shows: an escape is `\u{1b}`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Beside what is a control character by name: marks of direction, and those that show nothing.
        let is_hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if c.is_control() || is_hidden {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether whoever read standard output from a pipe has gone. Who only waits for something to write has to ask: a pipe
/// tells it otherwise with the next write.
#[must_use]
pub fn has_lost_reader() -> bool {
    let stdout = io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let gone = PollFlags::ERR | PollFlags::HUP;
    poll(&mut polled, Some(&Timespec::default())).is_ok() && polled[0].revents().intersects(gone)
}

/// The sentence for an output that could not be written.
#[must_use]
pub fn unwritten(error: &io::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or(&text);
    format!("The output cannot be written ({reason}).")
}
