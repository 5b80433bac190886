//! The terminal: takes it over, runs the client in it, and gives it back, whatever happens.

mod input;

use std::{
    io::{self, IsTerminal as _, Stdout},
    time::{Duration, Instant},
};

use crossterm::{
    cursor::Show,
    event::{
        DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
        Event as Input,
    },
    execute,
    style::Print,
    terminal::{
        Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen,
        LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    },
};
use ratatui::backend::CrosstermBackend;
use rustix::{
    io::Errno,
    process::{Signal, getpid, kill_process},
};
use tokio::{
    signal::unix::{self, SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use parlour_client::{
    api::{Api, Ask},
    effect::{self, Effect},
    net::Net,
};

use self::input::Heard;
use super::{
    ClientError, account, block_on, drafts, draw, local_time,
    rows::WholeRows,
    seed,
    settings::ClientSettings,
    state::{Event, Screen, State},
    unsent,
    update::update,
};

type Terminal = ratatui::Terminal<WholeRows<CrosstermBackend<Stdout>>>;

/// How often time passes: countdowns look right and a heartbeat is never late by more.
const TICK: Duration = Duration::from_millis(250);
/// How long ending the login, and keeping what is written, may take when the program ends.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// `parlour tui`: the chat in a terminal.
///
/// # Errors
/// A sentence, when there is no terminal or it cannot be used.
pub fn run(settings: &ClientSettings) -> Result<(), ClientError> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(ClientError::usage(
            "`parlour tui` needs a terminal: in a pipe or a script use `parlour tail` to read and `parlour send` to write.",
        ));
    }
    let seed = seed()?;
    block_on(async {
        let api = Api::new(&settings.server)?;
        let username = settings.name().unwrap_or_default();
        let mut state = State::new(&api.label(), username, seed, local_time);
        // Before the terminal is taken over: whoever ends the program then gets it back.
        let signals = Signals::listen().map_err(|error| unusable(&error))?;
        let mut terminal = take_over().map_err(|error| {
            let _ = give_back();
            unusable(&error)
        })?;
        let ended = chat(settings, api, signals, &mut state, &mut terminal).await;
        let given_back = give_back();
        // Dropping it would write to it once more, and panic where it is gone.
        std::mem::forget(terminal);
        let lost = match ended {
            Ok(End::Left) => None,
            Ok(End::Told) | Err(_) => unsent::sentence(&state),
        };
        match (ended.and(given_back), lost) {
            // The window was closed: no one is left to be told anything of the terminal.
            (Err(error), None) if is_gone(&error) => Ok(()),
            (Err(error), None) => Err(unusable(&error)),
            (_, Some(lost)) => Err(ClientError::failed(lost)),
            (Ok(()), None) => Ok(()),
        }
    })
}

/// Why the chat is over.
enum End {
    /// The user wanted to leave, and knows what was not sent.
    Left,
    /// Another program ended it, or the terminal is gone.
    Told,
}

/// What other programs may ask of this one.
struct Signals {
    end: [unix::Signal; 4],
    stop: unix::Signal,
    resumed: unix::Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let of = |kind: Signal| signal(SignalKind::from_raw(kind.as_raw()));
        Ok(Self {
            end: [
                of(Signal::TERM)?,
                of(Signal::HUP)?,
                // In raw mode the keys for these two are keys like any other.
                of(Signal::INT)?,
                of(Signal::QUIT)?,
            ],
            stop: of(Signal::TSTP)?,
            resumed: of(Signal::CONT)?,
        })
    }
}

/// Whether the terminal is no longer there.
fn is_gone(error: &io::Error) -> bool {
    let gone = [Errno::IO, Errno::NXIO, Errno::PIPE, Errno::BADF];
    let says_so = gone
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    says_so || !io::stdin().is_terminal() || !io::stdout().is_terminal()
}

fn unusable(error: &io::Error) -> ClientError {
    ClientError::failed(format!(
        "The terminal cannot be used ({error}): try another one, or `parlour tail` and `parlour send`."
    ))
}

/// ratatui's own `init` and `restore` print when giving the terminal back fails, which panics where there is none left.
fn take_over() -> io::Result<Terminal> {
    // On a panic the terminal is given back before the panic's message is printed.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let _ = give_back();
        hook(info);
    }));
    enable_raw_mode()?;
    enter()?;
    fresh()
}

/// A screen of our own. Where a character takes more columns than it is laid out for, none runs over into the next row.
fn enter() -> io::Result<()> {
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        DisableLineWrap,
        Clear(ClearType::All)
    )
}

/// A terminal that knows nothing of what is on the screen, and draws all of it. (ratatui's own `clear` would ask the
/// terminal for the cursor, and wait for the answer among the keys.)
fn fresh() -> io::Result<Terminal> {
    Terminal::new(WholeRows::new(CrosstermBackend::new(io::stdout())))
}

/// Takes the terminal over again after the program was stopped, in whatever state the shell left it.
fn take_again(terminal: &mut Terminal) -> io::Result<()> {
    // Where raw mode counts as on, putting it on does nothing.
    disable_raw_mode()?;
    enable_raw_mode()?;
    enter()?;
    // Dropping the other would show the cursor.
    std::mem::forget(std::mem::replace(terminal, fresh()?));
    Ok(())
}

/// Another program asked this one to stop (`kill -TSTP`; in raw mode Ctrl+Z is a key like any other).
fn stand_aside(terminal: &mut Terminal) -> io::Result<()> {
    give_back()?;
    kill_process(getpid(), Signal::STOP)?;
    take_again(terminal)
}

fn give_back() -> io::Result<()> {
    let is_cooked = disable_raw_mode();
    execute!(
        io::stdout(),
        EnableLineWrap,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    )?;
    is_cooked
}

async fn chat(
    settings: &ClientSettings,
    api: Api,
    mut signals: Signals,
    state: &mut State,
    terminal: &mut Terminal,
) -> io::Result<End> {
    let start = Instant::now();
    let (events, mut received) = mpsc::unbounded_channel();
    let account = account(settings, &api);
    let username = settings.name();
    if let Screen::Login(form) = &mut state.screen
        && api.is_readable_by_others()
    {
        form.error = Some(
            "This address is not encrypted: everyone on the way to it can read your password."
                .into(),
        );
    }
    let size = terminal.size()?;
    state.size = (size.width, size.height);
    let resumed = account.resume(username).await;
    let mut net = Net::new(api, account, events.clone());
    match resumed {
        Some(name) => {
            let _ = events.send(effect::Event::LoggedIn(name));
        }
        None => begin_login(settings, state, &mut net),
    }
    let mut input = input::listen()?;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut last_words: Vec<JoinHandle<()>> = Vec::new();
    let end = loop {
        if state.is_over {
            break End::Left;
        }
        terminal.draw(|frame| draw::draw(frame, state))?;
        for effect in update(state, Event::Drawn) {
            net.perform(effect);
        }
        if std::mem::take(&mut state.bells) > 0 {
            execute!(io::stdout(), Print('\u{7}'))?;
        }
        let event = tokio::select! {
            Some(event) = received.recv() => Event::Net(event),
            pressed = input.recv() => match pressed {
                Some(Heard::Input(pressed)) => match from_terminal(pressed?) {
                    Some(event) => event,
                    None => continue,
                },
                Some(Heard::Gone) | None => break End::Told,
            },
            _ = ticks.tick() => {
                let now = start.elapsed().as_millis();
                Event::Tick(u64::try_from(now).unwrap_or(u64::MAX))
            }
            () = any(&mut signals.end) => break End::Told,
            _ = signals.stop.recv() => {
                stand_aside(terminal)?;
                continue;
            }
            _ = signals.resumed.recv() => {
                take_again(terminal)?;
                continue;
            }
        };
        let mut waiting = Some(event);
        // What is already waiting is taken in before the screen is drawn again.
        while let Some(event) = waiting {
            for effect in update(state, event) {
                // What is kept at the moment when the program ends is kept all the same.
                let is_kept = matches!(effect, Effect::LogOut | Effect::Ask(Ask::PutDraft { .. }));
                let is_last = state.is_over || is_kept;
                let task = net.perform(effect);
                last_words.retain(|task| !task.is_finished());
                last_words.extend(task.filter(|_| is_last));
            }
            waiting = received.try_recv().ok().map(Event::Net);
        }
        if std::mem::take(&mut state.is_screen_in_doubt) {
            take_again(terminal)?;
        }
    };
    if matches!(end, End::Told) {
        // Where the terminal is gone no one can be told what was not sent: it is kept instead.
        let is_unheard = !io::stdout().is_terminal();
        let kept = drafts::keep(state, is_unheard).into_iter();
        last_words.extend(kept.filter_map(|effect| net.perform(effect)));
    }
    // The file is gone and the server knows, and what was written is kept there; or it takes too long.
    let all = futures_util::future::join_all(last_words);
    let _ = tokio::time::timeout(LAST_WORDS, all).await;
    Ok(end)
}

/// Logs in with the name and password of the settings, if they hold both.
fn begin_login(settings: &ClientSettings, state: &mut State, net: &mut Net) {
    let (Some(username), Some(password)) = (settings.name(), &settings.password) else {
        return;
    };
    if let Screen::Login(form) = &mut state.screen {
        form.is_busy = true;
    }
    net.perform(Effect::LogIn {
        register: false,
        username: username.to_owned(),
        password: password.clone(),
    });
}

/// Waits for one of these signals.
async fn any(signals: &mut [unix::Signal; 4]) {
    let waits = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures_util::future::select_all(waits).await;
}

fn from_terminal(input: Input) -> Option<Event> {
    match input {
        Input::Key(key) => Some(Event::Key(key)),
        Input::Paste(text) => Some(Event::Paste(text)),
        Input::Resize(columns, rows) => Some(Event::Resize(columns, rows)),
        Input::FocusGained => Some(Event::Focus(true)),
        Input::FocusLost => Some(Event::Focus(false)),
        Input::Mouse(_) => None,
    }
}
