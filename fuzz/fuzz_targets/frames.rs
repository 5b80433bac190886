//! Whatever a client sends and however it is cut: no panic, no more memory than the limit allows, and one result.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parlour_fuzz::frames::{FrameDecoder, Inbound, Violation};

fn decode(limit: usize, bytes: &[u8], step: usize) -> (Vec<Inbound>, Option<Violation>) {
    let mut decoder = FrameDecoder::new(limit);
    let mut said = Vec::new();
    let mut violation = None;
    for piece in bytes.chunks(step) {
        let mut piece = Bytes::copy_from_slice(piece);
        loop {
            let outcome = decoder.decode(&mut piece);
            assert!(decoder.held() <= limit + 125);
            match outcome {
                Ok(None) => break,
                Ok(Some(inbound)) => {
                    assert!(violation.is_none(), "something follows a violation");
                    said.push(inbound);
                }
                Err(found) => assert!(violation.replace(found).is_none(), "told twice"),
            }
        }
        assert!(piece.is_empty(), "not all was taken");
    }
    (said, violation)
}

// The first two bytes choose the limit and the size of the pieces.
fuzz_target!(|data: &[u8]| {
    let [limit, step, bytes @ ..] = data else {
        return;
    };
    let limit = usize::from(*limit) * 16;
    let whole = decode(limit, bytes, bytes.len().max(1));
    assert_eq!(decode(limit, bytes, usize::from(*step).max(1)), whole);
    for inbound in whole.0 {
        let length = match inbound {
            Inbound::Text(text) => text.len(),
            Inbound::Binary(body) => body.len(),
            Inbound::Ping(_) | Inbound::Pong(_) | Inbound::Close(_) => 0,
        };
        assert!(length <= limit);
    }
});
