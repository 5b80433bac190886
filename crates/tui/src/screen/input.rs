//! What is typed, and that the terminal is gone. Each is waited for on a thread of its own: where the window was closed, crossterm
//! reads the end of the file again and again, for ever and as fast as it can, and whoever had asked it for the next key would never
//! hear of anything again, of no signal either.

use std::{io, thread};

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What comes from the terminal.
#[derive(Debug)]
pub(super) enum Heard {
    /// A key, a paste, another size; or why there are none any more.
    Input(io::Result<Event>),
    /// Nothing will come from it again.
    Gone,
}

/// Begins to listen to the terminal. The threads end with the program.
pub(super) fn listen() -> io::Result<UnboundedReceiver<Heard>> {
    let (heard, received) = unbounded_channel();
    let told = heard.clone();
    thread::Builder::new()
        .name("hang-up".into())
        .spawn(move || {
            if hung_up().is_ok() {
                let _ = told.send(Heard::Gone);
            }
        })?;
    thread::Builder::new()
        .name("keys".into())
        .spawn(move || read(&heard))?;
    Ok(received)
}

fn read(heard: &UnboundedSender<Heard>) {
    loop {
        let read = crossterm::event::read();
        let is_over = read.is_err();
        if heard.send(Heard::Input(read)).is_err() || is_over {
            return;
        }
    }
}

/// Waits until nothing can be read from the terminal any more, or written to it.
fn hung_up() -> io::Result<()> {
    let (input, output) = (io::stdin(), io::stdout());
    loop {
        // That it is gone is told without being asked for.
        let mut ends = [
            PollFd::new(&input, PollFlags::empty()),
            PollFd::new(&output, PollFlags::empty()),
        ];
        match poll(&mut ends, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        if ends.iter().any(|end| end.revents().intersects(gone)) {
            return Ok(());
        }
    }
}
