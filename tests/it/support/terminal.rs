//! A terminal (tmux) with the client in it, typed into as people type.

use std::{
    process::{Command, Output},
    thread,
};

use tempfile::TempDir;

use super::{BINARY, PASSWORD, TIMEOUT, eventually, unique};

/// A terminal with a program in it.
pub struct Terminal {
    name: String,
    pub home: TempDir,
    size: (u16, u16),
}

impl Terminal {
    pub fn new() -> Self {
        Self::sized(100, 30)
    }

    pub fn sized(columns: u16, rows: u16) -> Self {
        Self {
            name: format!("parlour-test-{}", unique()),
            home: tempfile::tempdir().expect("a folder"),
            size: (columns, rows),
        }
    }

    pub fn tmux(&self, args: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path().join("state"))
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8");
        for name in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .current_dir(self.home.path())
            .args(["-u", "-f", "/dev/null", "-L", &self.name])
            .args(args)
            .output()
            .expect("tmux is installed")
    }

    /// Runs `parlour ARGS`; when it has ended, the terminal says how.
    pub fn start(&self, args: &str) {
        self.run(&format!(
            "'{}' {args}; echo ended with $?; exec sleep 1000",
            *BINARY
        ));
    }

    /// Runs a command of the shell.
    pub fn run(&self, command: &str) {
        let _ = self.tmux(&["kill-server"]);
        let (columns, rows) = (self.size.0.to_string(), self.size.1.to_string());
        // A server that is still on its way out takes the new session with it.
        let new_session = ["new-session", "-d", "-x", &columns, "-y", &rows, command];
        eventually("tmux starts a session", || {
            self.tmux(&new_session).status.success().then_some(())
        });
    }

    pub fn screen(&self) -> String {
        String::from_utf8(self.tmux(&["capture-pane", "-p"]).stdout).expect("UTF-8")
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let start = std::time::Instant::now();
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(
                start.elapsed() < TIMEOUT,
                "the terminal never showed {what}:\n{screen}"
            );
            thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    #[track_caller]
    pub fn shows(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until something that was written here is stored: it stands in the conversation, the line is empty, and nothing is
    /// on its way. (Before the key that sends it was taken in, it stands in the line.)
    #[track_caller]
    pub fn stores(&self, text: &str) {
        self.until(&format!("that “{text}” is stored"), |screen| {
            let is_sent = screen.contains("Write a message, or /help") && screen.contains(text);
            is_sent && !screen.contains("not stored")
        });
    }

    pub fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    pub fn type_text(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    pub fn write(&self, text: &str) {
        self.type_text(text);
        self.press("Enter");
    }

    /// Pastes as a terminal does that was asked to mark what is pasted.
    pub fn paste(&self, text: &str) {
        self.tmux(&["set-buffer", "--", text]);
        self.tmux(&["paste-buffer", "-p"]);
    }

    /// The words on the screen, wherever a row ends.
    pub fn words(&self) -> String {
        let screen = self.screen().replace(|c: char| "│╭╮╰╯─›".contains(c), " ");
        screen.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until these words are on the screen, in however many rows.
    #[track_caller]
    pub fn says(&self, text: &str) {
        self.until(text, |_| self.words().contains(text));
    }

    /// Sends a signal to the program in it, by name.
    pub fn signal(&self, name: &str) {
        let pane = self.tmux(&["list-panes", "-F", "#{pane_pid}"]).stdout;
        let shell = String::from_utf8(pane).expect("a number");
        let sent = Command::new("pkill")
            .args([&format!("-{name}"), "-P", shell.trim(), "parlour"])
            .status();
        assert!(sent.expect("pkill runs").success(), "{name}");
    }

    pub fn log_in(&self, name: &str) {
        self.shows("Log in");
        self.write(name);
        self.write(PASSWORD);
        self.shows("● connected");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
    }
}
