//! A frame's header (RFC 6455, section 5.2), judged byte by byte as it arrives.

use bytes::{Buf, Bytes};

use super::{TOO_LARGE, Violation, broken};

/// Longest body of a control frame (RFC 6455, section 5.5).
const MAX_CONTROL: u8 = 125;
/// Two bytes, a length of eight bytes and a mask of four.
const MAX_HEADER: usize = 14;

/// What a header that nothing is wrong with says of its frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) opcode: Opcode,
    /// Whether it completes its message.
    pub(super) last: bool,
    pub(super) length: usize,
    pub(super) mask: [u8; 4],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Binary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Data(Kind),
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Data(Kind::Text),
            0x2 => Self::Data(Kind::Binary),
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The bytes of a header that have arrived.
#[derive(Debug, Default)]
pub(super) struct Header {
    bytes: [u8; MAX_HEADER],
    filled: usize,
}

impl Header {
    /// Takes bytes until the header is complete, or `None` if they do not suffice. `open` says whether a message is
    /// under way, and `room` how many bytes that message (or a new one) may have from here on.
    pub(super) fn read(
        &mut self,
        input: &mut Bytes,
        open: bool,
        room: usize,
    ) -> Result<Option<Frame>, Violation> {
        while input.has_remaining() {
            self.bytes[self.filled] = input.get_u8();
            self.filled += 1;
            let opcode = self.opcode(open)?;
            if self.filled < 2 {
                continue;
            }
            self.check_second_byte(opcode)?;
            if self.filled < self.mask_at() {
                continue;
            }
            let length = self.length(opcode, room)?;
            if self.filled == self.mask_at() + 4 {
                let frame = Frame {
                    opcode,
                    last: self.is_last(),
                    length,
                    mask: self.mask(),
                };
                self.filled = 0;
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    fn is_last(&self) -> bool {
        self.bytes[0] & 0x80 != 0
    }

    /// The first byte: reserved bits, the opcode, and whether such a frame may stand here.
    fn opcode(&self, open: bool) -> Result<Opcode, Violation> {
        let first = self.bytes[0];
        if first & 0x70 != 0 {
            return Err(broken(
                "A reserved bit is set, but no extension was agreed on.",
            ));
        }
        let opcode = Opcode::of(first & 0x0F).ok_or(broken("The opcode is a reserved one."))?;
        if opcode == Opcode::Continuation && !open {
            return Err(broken("There is no message to continue."));
        }
        if matches!(opcode, Opcode::Data(_)) && open {
            return Err(broken(
                "A new message began before the last one was complete.",
            ));
        }
        if opcode.is_control() && !self.is_last() {
            return Err(broken("A control frame must not be fragmented."));
        }
        Ok(opcode)
    }

    /// The second byte: the mask's bit, and the length of control frames.
    fn check_second_byte(&self, opcode: Opcode) -> Result<(), Violation> {
        if self.bytes[1] & 0x80 == 0 {
            return Err(broken("Frames from a client must be masked."));
        }
        if opcode.is_control() && self.short_length() > MAX_CONTROL {
            return Err(broken("A control frame must not be longer than 125 bytes."));
        }
        if opcode == Opcode::Close && self.short_length() == 1 {
            return Err(broken("Half a close code is none."));
        }
        Ok(())
    }

    /// The length as the second byte has it: 126 and 127 stand for a longer one in the bytes that follow.
    fn short_length(&self) -> u8 {
        self.bytes[1] & 0x7F
    }

    /// Where the mask begins, which is where the length is known.
    fn mask_at(&self) -> usize {
        match self.short_length() {
            126 => 4,
            127 => 10,
            _ => 2,
        }
    }

    /// The declared length, all its bytes being there.
    fn length(&self, opcode: Opcode, room: usize) -> Result<usize, Violation> {
        let [_, _, long @ .., _, _, _, _] = self.bytes;
        let (length, least) = match self.short_length() {
            126 => (u64::from(u16::from_be_bytes([long[0], long[1]])), 126),
            127 => (u64::from_be_bytes(long), 0x1_0000),
            short => (u64::from(short), 0),
        };
        if length >> 63 != 0 {
            return Err(broken("The highest bit of a length must be 0."));
        }
        if length < least {
            return Err(broken(
                "A length must be written in as few bytes as it needs.",
            ));
        }
        match usize::try_from(length) {
            Ok(length) if length <= room || opcode.is_control() => Ok(length),
            _ => Err(TOO_LARGE),
        }
    }

    fn mask(&self) -> [u8; 4] {
        let at = self.mask_at();
        let b = &self.bytes;
        [b[at], b[at + 1], b[at + 2], b[at + 3]]
    }
}
