//! The way of log lines to standard error: a bounded queue, and a thread of its own that alone waits for whoever reads
//! them. A log that no one reads, or that has no room left on its disk, costs log lines and nothing else; how many is
//! said when lines can be written again.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// Bytes that may wait; what comes then is dropped. As much again may be on its way.
const MOST: usize = 1024 * 1024;
/// How long to wait when whoever reads has asked not to be waited for, and has no room.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Log lines on their way out.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lines that found no room since the others were taken.
    dropped: u64,
    /// Some were taken, and are not written yet.
    is_writing: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped == 0
    }
}

impl Queue {
    /// A queue, and the thread that empties it into `out`. `say` makes a line of how many were lost.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        out: impl Write + Send + 'static,
        say: impl Fn(u64) -> Vec<u8> + Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let queue = Arc::new(Self::default());
        let emptied = Arc::clone(&queue);
        thread::Builder::new()
            .name("log".into())
            .spawn(move || emptied.empty_into(out, say))?;
        Ok(queue)
    }

    /// Adds a line, or counts it as dropped. Never waits for whoever reads.
    pub fn push(&self, line: Vec<u8>) {
        let mut waiting = self.lock();
        if waiting.bytes + line.len() > MOST {
            waiting.dropped += 1;
        } else {
            waiting.bytes += line.len();
            waiting.lines.push_back(line);
        }
        drop(waiting);
        self.changed.notify_all();
    }

    /// Waits until everything is written, but no longer than this.
    pub fn finish(&self, timeout: Duration) {
        let waiting = self.lock();
        let _what_waits_is_lost = self
            .changed
            .wait_timeout_while(waiting, timeout, |waiting| {
                waiting.is_writing || !waiting.is_empty()
            });
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A count or a line may be missing after a panic; that is no reason to go without a log.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn empty_into(&self, out: impl Write, say: impl Fn(u64) -> Vec<u8>) {
        let mut out = Lines {
            out,
            is_torn: false,
        };
        let mut lost = 0;
        loop {
            let (lines, dropped) = self.take();
            for line in lines {
                if lost > 0 && out.write(&say(lost)).is_ok() {
                    lost = 0;
                }
                if out.write(&line).is_err() {
                    lost += 1;
                }
            }
            lost += dropped;
            if lost > 0 && out.write(&say(lost)).is_ok() {
                lost = 0;
            }
        }
    }

    /// All that waits, as soon as there is some; and that what was taken before is written.
    fn take(&self) -> (VecDeque<Vec<u8>>, u64) {
        let mut waiting = self.lock();
        waiting.is_writing = false;
        self.changed.notify_all();
        let mut waiting = self
            .changed
            .wait_while(waiting, |waiting| waiting.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        waiting.is_writing = true;
        waiting.bytes = 0;
        (
            std::mem::take(&mut waiting.lines),
            std::mem::take(&mut waiting.dropped),
        )
    }
}

/// Writes whole lines, or begins a new one after a part of one.
struct Lines<W> {
    out: W,
    is_torn: bool,
}

impl<W: Write> Lines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.write_bytes(b"\n")?;
        }
        self.write_bytes(line)
    }

    fn write_bytes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.out.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.is_torn = bytes.get(count - 1) != Some(&b'\n');
                    bytes = bytes.get(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    thread::sleep(ASK_AGAIN);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(20);

    /// Takes nothing until it is told to, and then fails as often as it is told to.
    struct Door {
        opened: mpsc::Receiver<()>,
        is_open: bool,
        failures: usize,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Door {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.is_open {
                self.is_open = self.opened.recv().is_ok();
            }
            if self.failures > 0 {
                self.failures -= 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
            // At most so much at once, as a pipe does.
            let count = bytes.len().min(7);
            let mut written = self.written.lock().expect("not poisoned");
            written.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn queue(failures: usize) -> (Arc<Queue>, mpsc::Sender<()>, Arc<Mutex<Vec<u8>>>) {
        let (open, opened) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let door = Door {
            opened,
            is_open: false,
            failures,
            written: Arc::clone(&written),
        };
        let queue = Queue::start(door, |lost| format!("{lost} lost\n").into_bytes());
        (queue.expect("a thread"), open, written)
    }

    fn text(written: &Mutex<Vec<u8>>) -> String {
        String::from_utf8(written.lock().expect("not poisoned").clone()).expect("text")
    }

    #[test]
    fn what_is_too_much_is_dropped_counted_and_said_after_what_came_before_it() {
        let (queue, open, written) = queue(0);
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        let mut count = 0;
        while queue.lock().dropped < 10 {
            queue.push(line.clone());
            count += 1;
        }
        assert!(count <= 2 * MOST / line.len() + 10, "{count}");
        queue.finish(Duration::from_millis(1));
        assert_eq!(text(&written), "");
        open.send(()).expect("it waits");
        queue.finish(TIMEOUT);
        queue.push(b"the next\n".to_vec());
        queue.finish(TIMEOUT);
        let text = text(&written);
        assert!(text.ends_with("x\n10 lost\nthe next\n"), "{text:.200}");
        assert_eq!(text.lines().count(), count - 10 + 2);
    }

    #[test]
    fn what_cannot_be_written_is_said_when_the_rest_can() {
        let (queue, open, written) = queue(3);
        for n in 0..4 {
            queue.push(format!("line {n}\n").into_bytes());
        }
        open.send(()).expect("it waits");
        queue.finish(TIMEOUT);
        queue.push(b"the last\n".to_vec());
        queue.finish(TIMEOUT);
        let text = text(&written);
        assert!(
            text.contains(" lost\n") && text.ends_with("the last\n"),
            "{text}"
        );
        let lost: usize = text
            .lines()
            .filter_map(|line| line.strip_suffix(" lost")?.parse::<usize>().ok())
            .sum();
        let kept = text
            .lines()
            .filter(|line| line.starts_with("line "))
            .count();
        assert_eq!(lost + kept, 4, "{text}");
    }

    #[test]
    fn a_line_that_was_cut_does_not_swallow_the_next() {
        let mut lines = Lines {
            out: Vec::new(),
            is_torn: false,
        };
        lines.write(b"half").expect("writes");
        lines.write(b"whole\n").expect("writes");
        lines.write(b"whole\n").expect("writes");
        assert_eq!(lines.out, b"half\nwhole\nwhole\n");
    }
}
