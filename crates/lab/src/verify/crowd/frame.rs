//! Frames of the WebSocket as a client writes and reads them (RFC 6455, section 5).

use bytes::{Buf as _, Bytes, BytesMut};

/// A text frame.
pub const TEXT: u8 = 1;
/// The last frame of a socket.
pub const CLOSE: u8 = 8;
/// Asks for a pong.
pub const PING: u8 = 9;
/// Answers a ping.
pub const PONG: u8 = 10;

/// Longer ones are not sent by a server with the usual limits.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub opcode: u8,
    /// What it carries.
    pub payload: Bytes,
}

/// A frame that a client may send: whole, and masked.
pub fn encode(opcode: u8, payload: &[u8], mask: u32) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..=125), _) => frame.push(0x80 | short),
        (_, Ok(middle)) => {
            frame.push(0x80 | 0x7e);
            frame.extend(middle.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 0x7f);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    let mask = mask.to_be_bytes();
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    frame
}

/// Takes the first frame out of the buffer, once it is whole.
///
/// # Errors
/// One sentence, when it is none that a server may send.
pub fn decode(buffer: &mut BytesMut) -> Result<Option<Frame>, &'static str> {
    let [first, second, ..] = buffer[..] else {
        return Ok(None);
    };
    if first & 0x70 != 0 || second & 0x80 != 0 {
        return Err("a frame with reserved bits, or masked");
    }
    if first & 0x80 == 0 {
        return Err("a part of a message: the server sends whole ones");
    }
    let (head, length) = match second {
        126 => match buffer.get(2..4).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => (4, u64::from(u16::from_be_bytes(bytes))),
            None => return Ok(None),
        },
        127 => match buffer.get(2..10).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => (10, u64::from_be_bytes(bytes)),
            None => return Ok(None),
        },
        short => (2, u64::from(short)),
    };
    if length > LONGEST {
        return Err("a frame that is too long");
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if buffer.len() < head + length {
        return Ok(None);
    }
    buffer.advance(head);
    Ok(Some(Frame {
        opcode: first & 0x0f,
        payload: buffer.split_to(length).freeze(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_masked_and_says_its_length() {
        let frame = encode(TEXT, b"Hello", 0x37fa_213d);
        // The example of RFC 6455, section 5.7.
        let expected = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert_eq!(frame, expected);
        assert_eq!(encode(TEXT, &[0; 126], 0).len(), 126 + 8);
        assert_eq!(encode(TEXT, &vec![0; 65_536], 0).len(), 65_536 + 14);
    }

    #[test]
    fn a_frame_is_read_however_it_comes_in_pieces() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let mut whole = encode(TEXT, &vec![7; length], 0);
            // A server does not mask.
            let head = whole.len() - length;
            whole.drain(head - 4..head);
            whole[1] &= 0x7f;
            let (last, before) = whole.split_last().expect("not empty");
            let mut buffer = BytesMut::new();
            for byte in before {
                assert_eq!(decode(&mut buffer), Ok(None));
                buffer.extend([*byte]);
            }
            buffer.extend([*last, 0x89]);
            let frame = decode(&mut buffer).expect("right").expect("whole");
            assert_eq!((frame.opcode, frame.payload.len()), (TEXT, length));
            assert_eq!(buffer[..], [0x89]);
        }
    }

    #[test]
    fn what_a_server_may_not_send_is_refused() {
        for bytes in [[0xc1, 0], [0x81, 0x80], [0x01, 0]] {
            assert!(decode(&mut BytesMut::from(&bytes[..])).is_err());
        }
    }
}
