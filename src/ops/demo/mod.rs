//! `parlour demo`: with nothing but this binary, a server, two people, and everything that is promised of their
//! messages, seen to hold before it is said. Everything happens in a temporary folder, which is gone at the end.

mod disk;
mod person;
mod server;
mod stage;
mod story;

use std::{fmt, io};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::LocalSet,
};

use self::stage::Stage;
use crate::printing;

/// Something did not hold: one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Broken(String);

impl Broken {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Result<T> = std::result::Result<T, Broken>;

/// Goes on only when it holds.
fn demand(holds: bool, sentence_if_not: &str) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Broken::new(sentence_if_not))
    }
}

/// How the demo ended.
enum End {
    Told(Result<()>),
    Interrupted,
}

/// Exit code after Ctrl-C, as shells have it.
const INTERRUPTED: i32 = 130;

/// Shows the demo; `fast` without time to read. Tells the exit code: 0 only when every step was seen to hold.
#[must_use]
pub fn run(fast: bool) -> i32 {
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Broken::new(format!("The demo cannot start ({error}).")))
        .and_then(|runtime| LocalSet::new().block_on(&runtime, show(fast)));
    match ended {
        Ok((End::Told(Ok(())), printed)) => printing::exit_code(printed),
        Ok((End::Interrupted, _)) => {
            printing::tell("\nparlour: The demo was stopped; its server and its folder are gone.");
            INTERRUPTED
        }
        Ok((End::Told(Err(broken)), _)) | Err(broken) => {
            printing::tell(format_args!("\nparlour: The demo ended early. {broken}"));
            1
        }
    }
}

/// Tells the story until its end or until a signal comes; whatever it had made is gone when this returns.
async fn show(fast: bool) -> Result<(End, io::Result<()>)> {
    let listen = |kind| {
        signal(kind).map_err(|error| Broken::new(format!("Signals cannot be heard ({error}).")))
    };
    let mut signals = [
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    ];
    let [interrupt, terminate, hangup] = &mut signals;
    let mut stage = Stage::new(fast);
    let end = tokio::select! {
        biased;
        () = heard(interrupt) => End::Interrupted,
        () = heard(terminate) => End::Interrupted,
        () = heard(hangup) => End::Interrupted,
        told = story::tell(&mut stage) => End::Told(told),
    };
    Ok((end, stage.into_printed()))
}

async fn heard(signal: &mut Signal) {
    signal.recv().await;
}
