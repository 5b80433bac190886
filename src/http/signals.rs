//! The signals by which the server is asked to end.

use std::fs;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for SIGTERM, SIGINT and SIGHUP from this call on, and tells which came. Must be called inside a runtime.
pub fn wait() -> impl Future<Output = &'static str> {
    let hear = |kind| signal(kind).ok();
    let terminate = hear(SignalKind::terminate());
    let interrupt = hear(SignalKind::interrupt());
    // Whoever starts a server with `nohup` wants it to outlive the terminal.
    let hangup = if hangup_is_ignored() {
        None
    } else {
        hear(SignalKind::hangup())
    };
    first_of(terminate, interrupt, hangup)
}

async fn first_of(
    mut terminate: Option<Signal>,
    mut interrupt: Option<Signal>,
    mut hangup: Option<Signal>,
) -> &'static str {
    if terminate.is_none() {
        log::error!("signals cannot be heard: end this process with SIGKILL");
    }
    tokio::select! {
        () = heard(&mut terminate) => "SIGTERM",
        () = heard(&mut interrupt) => "SIGINT",
        () = heard(&mut hangup) => "SIGHUP",
    }
}

async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether the process was started with SIGHUP ignored, as by `nohup`.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_ignored(&status, SignalKind::hangup())
}

/// `SigIgn:` is a number in hexadecimal, whose lowest bit is that of signal 1.
fn is_ignored(status: &str, kind: SignalKind) -> bool {
    let bit = kind.as_raw_value() - 1;
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << bit) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_hangup_is_found_among_the_ignored_signals() {
        let hangup = SignalKind::hangup();
        assert!(is_ignored("Name:\tx\nSigIgn:\t0000000000001001\n", hangup));
        assert!(!is_ignored("SigIgn:\t0000000000001000\n", hangup));
        assert!(!is_ignored("", hangup));
    }
}
