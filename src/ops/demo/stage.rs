//! What is seen: titles, short sentences, and time to read them.

use std::{cell::RefCell, io, time::Duration};

use crate::{ops::paint::Paint, printing};

/// Time for one word, read at leisure.
const WORD: Duration = Duration::from_millis(150);
/// Time between two letters that someone types.
const LETTER: Duration = Duration::from_millis(16);

/// Where the demo is shown.
pub struct Stage {
    paint: Paint,
    fast: bool,
    act: u32,
    /// What became of printing it. No one may be watching; what was begun is cleaned up all the same.
    printed: RefCell<io::Result<()>>,
}

impl Stage {
    pub fn new(fast: bool) -> Self {
        Self {
            paint: Paint::of_stdout(),
            fast,
            act: 0,
            printed: RefCell::new(Ok(())),
        }
    }

    /// The first lines.
    pub async fn open(&self, title: &str, line: &str) {
        self.print(&format!(
            "\n{}\n{}\n",
            self.paint.bold(title),
            self.paint.dim(line)
        ));
        self.read(line).await;
    }

    /// A new act.
    pub async fn title(&mut self, title: &str) {
        self.act += 1;
        let title = format!("{}  {title}", self.act);
        self.pause(Duration::from_millis(700)).await;
        self.print(&format!("\n{}\n", self.paint.bold(&title)));
        self.pause(Duration::from_millis(400)).await;
    }

    /// A sentence that tells what happens.
    pub async fn tell(&self, sentence: &str) {
        self.print(&format!("   {sentence}\n"));
        self.read(sentence).await;
    }

    /// A remark.
    pub async fn remark(&self, sentence: &str) {
        self.tell(&self.paint.dim(sentence)).await;
    }

    /// What was seen to hold.
    pub async fn holds(&self, sentence: &str) {
        self.print(&format!("   {} {sentence}\n", self.paint.green("✓")));
        self.read(sentence).await;
    }

    /// Someone says something.
    pub async fn says(&self, name: &str, text: &str) {
        let who = format!("{name:>8}");
        let who = if name == "alice" {
            self.paint.magenta(&who)
        } else {
            self.paint.blue(&who)
        };
        self.print(&format!("{who}  "));
        for letter in text.chars() {
            self.print(letter.encode_utf8(&mut [0; 4]));
            if self.paint.is_on() {
                self.pause(LETTER).await;
            }
        }
        self.print("\n");
        self.pause(Duration::from_millis(300)).await;
    }

    /// A thing, and what it looks like.
    pub async fn shows(&self, label: &str, value: &str) {
        let label = self.paint.dim(&format!("{label:<22}"));
        self.print(&format!("   {label} {}\n", self.paint.yellow(value)));
        self.pause(Duration::from_millis(900)).await;
    }

    /// The last line.
    pub fn close(&self, sentence: &str) {
        self.print(&format!(
            "\n{}\n\n",
            self.paint.bold(&self.paint.green(sentence))
        ));
    }

    /// What became of printing all this.
    pub fn into_printed(self) -> io::Result<()> {
        self.printed.into_inner()
    }

    fn print(&self, text: &str) {
        let mut printed = self.printed.borrow_mut();
        if printed.is_ok() {
            *printed = printing::print(text);
        }
    }

    async fn read(&self, text: &str) {
        let words = u32::try_from(text.split_whitespace().count()).unwrap_or(20);
        self.pause(WORD * words.min(20)).await;
    }

    async fn pause(&self, time: Duration) {
        if !self.fast {
            tokio::time::sleep(time).await;
        }
    }
}
