//! The frame guard: bytes of a client in, whole messages out, and everything that RFC 6455 forbids refused as early as
//! it can be told. It does no I/O and knows no one but the close codes.
//!
//! The codec that actix brings buffers a whole frame before it checks the frame's size, and checks neither reserved
//! bits nor UTF-8 nor how fragments follow each other; so what clients send never goes through it. Here a frame is
//! judged by its header, byte by byte as the header arrives, before anything of its body is kept. What is held at any
//! time is at most the message under way, and that is at most `max_message` (plus one control frame, 125 bytes).

use std::{error::Error, fmt, mem};

use bytes::Bytes;

use self::header::{Frame, Header, Kind, Opcode};
use crate::protocol::close;

mod header;

/// A message may come in this many fragments, or in one for every [`BYTES_PER_FRAGMENT`] of the greatest message if
/// that is more. Without a bound, fragments without content could be sent forever and never be too large.
pub const MIN_FRAGMENTS: usize = 4096;
/// See [`MIN_FRAGMENTS`].
pub const BYTES_PER_FRAGMENT: usize = 64;

/// What a client said: one whole message or one control frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// A text message, all its fragments put together.
    Text(String),
    /// A binary message, all its fragments put together.
    Binary(Bytes),
    /// Wants a pong with the same content.
    Ping(Bytes),
    /// The answer to a ping of ours, or a sign of life without one.
    Pong(Bytes),
    /// The client closes, and may say why. Nothing follows.
    Close(Option<(u16, String)>),
}

/// What a client did that ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// The code to close with; see [`crate::protocol::close`].
    pub code: u16,
    /// One plain sentence that fits into a close frame.
    pub reason: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.code)
    }
}

impl Error for Violation {}

const fn broken(reason: &'static str) -> Violation {
    Violation {
        code: close::PROTOCOL_ERROR,
        reason,
    }
}

const BAD_TEXT: Violation = Violation {
    code: close::INVALID_UTF8,
    reason: "Text must be valid UTF-8.",
};
const TOO_LARGE: Violation = Violation {
    code: close::TOO_LARGE,
    reason: "The message is larger than this server accepts.",
};
const TOO_MANY_FRAGMENTS: Violation = Violation {
    code: close::POLICY,
    reason: "The message comes in too many fragments.",
};

/// Reads the frames of one client. How the bytes are cut into chunks makes no difference to what comes out.
#[derive(Debug)]
pub struct FrameDecoder {
    max_message: usize,
    stage: Stage,
    header: Header,
    /// The kind of the message under way; it outlives a frame when the message is fragmented.
    open: Option<Kind>,
    message: Vec<u8>,
    /// How much of a text message under way is known to be UTF-8.
    checked: usize,
    fragments: usize,
    /// The body of a control frame under way, which may stand between the fragments of a message.
    control: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Header,
    Body { frame: Frame, seen: usize },
    Ended,
}

impl FrameDecoder {
    /// A decoder for one client, which refuses messages of more than `max_message` bytes.
    #[must_use]
    pub fn new(max_message: usize) -> Self {
        Self {
            max_message,
            stage: Stage::Header,
            header: Header::default(),
            open: None,
            message: Vec::new(),
            checked: 0,
            fragments: 0,
            control: Vec::new(),
        }
    }

    /// Takes bytes from `input` until something is complete. `None` means that all of `input` was taken and more is
    /// needed; after anything else, call again with what is left. After a violation or a close nothing more comes.
    ///
    /// # Errors
    /// [`Violation`], once, at the first byte that shows it.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Inbound>, Violation> {
        let outcome = self.advance(input);
        if matches!(outcome, Err(_) | Ok(Some(Inbound::Close(_)))) {
            self.message = Vec::new();
            self.control = Vec::new();
            self.stage = Stage::Ended;
        }
        outcome
    }

    /// Whether the client has closed or broken the rules, so that nothing more will come.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }

    /// Bytes held on the heap right now: none while no message is under way.
    #[must_use]
    pub fn held(&self) -> usize {
        self.message.capacity() + self.control.capacity()
    }

    fn advance(&mut self, input: &mut Bytes) -> Result<Option<Inbound>, Violation> {
        loop {
            match self.stage {
                Stage::Ended => {
                    input.clear();
                    return Ok(None);
                }
                Stage::Header => {
                    let room = self.max_message - self.message.len();
                    match self.header.read(input, self.open.is_some(), room)? {
                        Some(frame) => self.begin_frame(frame)?,
                        None => return Ok(None),
                    }
                }
                Stage::Body { frame, seen } => {
                    let piece = input.split_to(input.len().min(frame.length - seen));
                    let now_seen = seen + piece.len();
                    let whole = now_seen == frame.length;
                    let inbound = if frame.opcode.is_control() {
                        append_unmasked(&mut self.control, &piece, frame.mask, seen);
                        if whole {
                            Some(self.finish_control(frame.opcode)?)
                        } else {
                            None
                        }
                    } else {
                        self.take_data(&piece, frame, seen)?
                    };
                    if !whole {
                        self.stage = Stage::Body {
                            frame,
                            seen: now_seen,
                        };
                        return Ok(None);
                    }
                    self.stage = Stage::Header;
                    if inbound.is_some() {
                        return Ok(inbound);
                    }
                }
            }
        }
    }

    fn begin_frame(&mut self, frame: Frame) -> Result<(), Violation> {
        if frame.opcode.is_control() {
            self.control.reserve_exact(frame.length);
        } else {
            self.fragments += 1;
            if self.fragments > MIN_FRAGMENTS.max(self.max_message / BYTES_PER_FRAGMENT) {
                return Err(TOO_MANY_FRAGMENTS);
            }
        }
        if let Opcode::Data(kind) = frame.opcode {
            self.open = Some(kind);
        }
        self.stage = Stage::Body { frame, seen: 0 };
        Ok(())
    }

    fn take_data(
        &mut self,
        piece: &[u8],
        frame: Frame,
        seen: usize,
    ) -> Result<Option<Inbound>, Violation> {
        self.make_room(piece.len(), frame, seen);
        append_unmasked(&mut self.message, piece, frame.mask, seen);
        if frame.last && seen + piece.len() == frame.length {
            return self.finish_message().map(Some);
        }
        if self.open == Some(Kind::Text) {
            self.check_text()?;
        }
        Ok(None)
    }

    /// Grows with what arrives, not with what is promised: a header alone reserves nothing.
    fn make_room(&mut self, more: usize, frame: Frame, seen: usize) {
        let held = self.message.len();
        let needed = held + more;
        if needed > self.message.capacity() {
            let most = if frame.last {
                held + (frame.length - seen)
            } else {
                self.max_message
            };
            let capacity = needed.max(self.message.capacity() * 2).min(most);
            self.message.reserve_exact(capacity - held);
        }
    }

    /// A character may be cut by the end of a chunk or fragment; anything else that is wrong is wrong forever.
    fn check_text(&mut self) -> Result<(), Violation> {
        match str::from_utf8(&self.message[self.checked..]) {
            Ok(_) => self.checked = self.message.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(BAD_TEXT),
        }
        Ok(())
    }

    fn finish_message(&mut self) -> Result<Inbound, Violation> {
        self.checked = 0;
        self.fragments = 0;
        let message = mem::take(&mut self.message);
        match self.open.take() {
            Some(Kind::Text) => String::from_utf8(message)
                .map(Inbound::Text)
                .map_err(|_| BAD_TEXT),
            _ => Ok(Inbound::Binary(message.into())),
        }
    }

    fn finish_control(&mut self, opcode: Opcode) -> Result<Inbound, Violation> {
        let body = Bytes::from(mem::take(&mut self.control));
        match opcode {
            Opcode::Ping => Ok(Inbound::Ping(body)),
            Opcode::Close => read_close(&body),
            _ => Ok(Inbound::Pong(body)),
        }
    }
}

fn read_close(body: &[u8]) -> Result<Inbound, Violation> {
    let Some((code, reason)) = body.split_first_chunk() else {
        return Ok(Inbound::Close(None));
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        return Err(broken("This close code must not be sent."));
    }
    let reason = str::from_utf8(reason).map_err(|_| BAD_TEXT)?;
    Ok(Inbound::Close(Some((code, reason.to_owned()))))
}

/// Close codes that may stand in a frame: those that RFC 6455 and its registry define for that, and the ranges for
/// libraries and applications. 1005, 1006 and 1015 only ever stand for what was not sent.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Appends `piece`, which begins at byte `offset` of its frame. Eight bytes at a time: the mask fits twice.
fn append_unmasked(onto: &mut Vec<u8>, piece: &[u8], mask: [u8; 4], offset: usize) {
    let start = onto.len();
    onto.extend_from_slice(piece);
    let mut mask = mask;
    mask.rotate_left(offset % 4);
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = onto[start..].as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests;
