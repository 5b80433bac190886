//! Frames of the WebSocket (RFC 6455, section 5), read and written with as little work as can be, and such as no client
//! may send.

/// A frame that lies whole in a buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The opcode: 1 text, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// What it carries.
    pub payload: &'a [u8],
    /// Bytes it takes in the buffer, its header included.
    pub taken: usize,
}

/// The first frame in a buffer, or `None` while it is not whole. A server does not mask, so nothing is unmasked.
#[must_use]
pub fn first(buffer: &[u8]) -> Option<Frame<'_>> {
    let opcode = buffer.first()? & 0x0f;
    let short = buffer.get(1)? & 0x7f;
    let (header, length): (usize, usize) = match short {
        126 => (
            4,
            usize::from(u16::from_be_bytes(buffer.get(2..4)?.try_into().ok()?)),
        ),
        127 => (
            10,
            usize::try_from(u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?)).ok()?,
        ),
        length => (2, usize::from(length)),
    };
    let taken = header.checked_add(length)?;
    Some(Frame {
        opcode,
        payload: buffer.get(header..taken)?,
        taken,
    })
}

/// Puts a frame as a server sends it (not masked) at the end of `buffer`.
pub fn push_plain(buffer: &mut Vec<u8>, payload: &[u8]) {
    push_header(buffer, 0x81, payload.len(), 0);
    buffer.extend_from_slice(payload);
}

/// Puts a frame as a client sends it at the end of `buffer`. The mask is there but all zeros, which changes nothing:
/// the work of masking is not what is measured.
pub fn push_masked(buffer: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    push_header(buffer, 0x80 | opcode, payload.len(), 0x80);
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(payload);
}

/// The header of a frame.
fn push_header(buffer: &mut Vec<u8>, first: u8, length: usize, mask_bit: u8) {
    buffer.push(first);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => buffer.push(mask_bit | short),
        (_, Ok(middle)) => {
            buffer.push(mask_bit | 0x7e);
            buffer.extend_from_slice(&middle.to_be_bytes());
        }
        _ => {
            buffer.push(mask_bit | 0x7f);
            buffer.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// The mask of [`masked`].
const MASK: [u8; 4] = [1, 2, 3, 4];

/// A frame as a client masks it, with any first byte.
#[must_use]
pub fn masked(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = masked_header(first_byte, payload.len());
    let mask = MASK.iter().cycle();
    bytes.extend(payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A masked frame's header alone, with the shortest form of this length.
#[must_use]
pub fn masked_header(first_byte: u8, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_header(&mut bytes, first_byte, length, 0x80);
    bytes.extend(MASK);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_back_at_every_length() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536] {
            let payload = vec![b'a'; length];
            let mut buffer = Vec::new();
            push_plain(&mut buffer, &payload);
            let frame = first(&buffer).expect("whole");
            assert_eq!((frame.opcode, frame.payload.len()), (1, length));
            assert_eq!(frame.taken, buffer.len());
            assert_eq!(first(&buffer[..buffer.len() - 1]), None);
        }
    }

    #[test]
    fn a_frame_is_masked_and_says_its_length() {
        // The example of RFC 6455, section 5.7, with another mask.
        let expected = [0x81, 0x85, 1, 2, 3, 4, 0x49, 0x67, 0x6f, 0x68, 0x6e];
        assert_eq!(masked(0x81, b"Hello"), expected);
        assert_eq!(masked(0x81, &[0; 126]).len(), 126 + 8);
        assert_eq!(masked(0x81, &vec![0; 65_536]).len(), 65_536 + 14);
    }
}
