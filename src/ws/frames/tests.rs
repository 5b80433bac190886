//! The frame guard against whole, cut, wrong and random bytes.

use proptest::prelude::*;

use super::*;

mod corpora;

const LIMIT: usize = 1000;
const LAST: u8 = 0x80;
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0xA5, 0x01, 0xFF, 0x3C];

/// A client's encoder: the length in as few bytes as it needs, and masked.
fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u64).to_be_bytes();
    let mut out = vec![first];
    match body.len() {
        0..126 => out.push(MASKED | length[7]),
        126..0x1_0000 => out.extend([MASKED | 0x7E, length[6], length[7]]),
        _ => out.extend([&[MASKED | 0x7F], &length[..]].concat()),
    }
    out.extend(MASK);
    out.extend(body.iter().zip(MASK.iter().cycle()).map(|(b, k)| b ^ k));
    out
}

/// A header that declares `length` in eight bytes, without mask and body.
fn long_header(first: u8, length: u64) -> Vec<u8> {
    [&[first, MASKED | 0x7F], &length.to_be_bytes()[..]].concat()
}

/// What a decoder says to the whole of `chunks`.
fn decode_all<'a>(
    limit: usize,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Inbound>, Option<Violation>) {
    let mut decoder = FrameDecoder::new(limit);
    let mut said = Vec::new();
    let mut violation = None;
    for chunk in chunks {
        let mut chunk = Bytes::copy_from_slice(chunk);
        loop {
            match decoder.decode(&mut chunk) {
                Ok(Some(inbound)) => {
                    assert!(violation.is_none(), "nothing follows a violation");
                    said.push(inbound);
                }
                Ok(None) => break,
                Err(found) => {
                    assert!(violation.replace(found).is_none(), "told twice");
                }
            }
            assert!(decoder.held() <= limit + 125, "held {}", decoder.held());
        }
        assert!(chunk.is_empty(), "all was taken");
        assert!(decoder.held() <= limit + 125, "held {}", decoder.held());
    }
    if violation.is_some() {
        assert_eq!(decoder.held(), 0, "a refused client costs no memory");
    }
    (said, violation)
}

fn decode(bytes: &[u8]) -> (Vec<Inbound>, Option<Violation>) {
    decode_all(LIMIT, [bytes])
}

/// What the client does, its bytes, the close code, and how many of the bytes suffice to tell.
type Forbidden = (&'static str, Vec<u8>, u16, usize);

fn then(first: Vec<u8>, second: impl AsRef<[u8]>) -> Vec<u8> {
    [first, second.as_ref().to_vec()].concat()
}

fn forbidden_first_bytes() -> Vec<Forbidden> {
    let again = |second| then(frame(1, b"x"), frame(second, b"y"));
    vec![
        ("unmasked", vec![LAST | 1, 2, b'h', b'i'], 1002, 2),
        ("first reserved bit", frame(LAST | 0x41, b"x"), 1002, 1),
        ("second reserved bit", frame(LAST | 0x21, b"x"), 1002, 1),
        ("third reserved bit", frame(LAST | 0x12, b"x"), 1002, 1),
        ("reserved bit on a ping", frame(LAST | 0x49, b""), 1002, 1),
        ("first reserved opcode", frame(LAST | 3, b"x"), 1002, 1),
        ("last reserved data opcode", frame(LAST | 7, b"x"), 1002, 1),
        ("reserved control opcode", frame(LAST | 0xB, b""), 1002, 1),
        ("last reserved opcode", frame(LAST | 0xF, b""), 1002, 1),
        ("fragmented ping", frame(9, b"x"), 1002, 1),
        ("fragmented close", frame(8, b""), 1002, 1),
        ("continuation of nothing", frame(LAST, b"x"), 1002, 1),
        (
            "continuation of what is complete",
            then(frame(LAST | 1, b"x"), frame(LAST, b"y")),
            1002,
            8,
        ),
        ("text inside a message", again(LAST | 1), 1002, 8),
        ("binary inside a message", again(2), 1002, 8),
    ]
}

fn forbidden_lengths() -> Vec<Forbidden> {
    let body = [b'x'; 2000];
    let declared = |length| then(long_header(LAST | 2, length), body);
    let short = |high, low| then(vec![LAST | 1, MASKED | 0x7E, high, low], body);
    let fragments = then(frame(2, &[0; 600]), frame(LAST, &[0; 401]));
    vec![
        ("ping of 126 bytes", frame(LAST | 9, &[0; 126]), 1002, 2),
        ("close of 2^40", long_header(LAST | 8, 1 << 40), 1002, 2),
        ("125 in two bytes", short(0, 125), 1002, 4),
        ("65535 in eight bytes", declared(0xFFFF), 1002, 10),
        ("highest bit", declared(1 << 63), 1002, 10),
        ("one over the limit", short(3, 233), 1009, 4),
        ("1 GiB", declared(1 << 30), 1009, 10),
        ("2^40", declared(1 << 40), 1009, 10),
        ("2^63 - 1", declared((1 << 63) - 1), 1009, 10),
        ("fragments of 600 and 401", fragments, 1009, 612),
    ]
}

fn forbidden_contents() -> Vec<Forbidden> {
    let text = |bytes: &[u8]| frame(LAST | 1, bytes);
    let close = |code: u16| frame(LAST | 8, &code.to_be_bytes());
    let fragments = then(frame(1, b"\xE2\x82"), frame(0, b"x..."));
    vec![
        ("broken text", text(b"ab\xFFcd"), 1007, 9),
        ("surrogate", text(b"\xED\xA0\x80x"), 1007, 8),
        ("overlong slash", text(b"\xC0\xAFx"), 1007, 7),
        ("beyond Unicode", text(b"\xF4\x90\x80\x80"), 1007, 8),
        ("ends within a character", text(b"\xE2\x82"), 1007, 8),
        ("character broken over fragments", fragments, 1007, 15),
        ("close code 0", close(0), 1002, 8),
        ("close code 999", close(999), 1002, 8),
        ("close code 1004", close(1004), 1002, 8),
        ("close code 1005", close(1005), 1002, 8),
        ("close code 1006", close(1006), 1002, 8),
        ("close code 1015", close(1015), 1002, 8),
        ("close code 1016", close(1016), 1002, 8),
        ("close code 2999", close(2999), 1002, 8),
        ("close code 5000", close(5000), 1002, 8),
        ("half a close code", frame(LAST | 8, b"\x03"), 1002, 2),
        ("close reason", frame(LAST | 8, b"\x03\xE8\xFF"), 1007, 9),
    ]
}

#[test]
fn what_the_protocol_forbids_is_refused_with_its_code_at_the_first_byte_that_shows_it() {
    let rows = [
        forbidden_first_bytes(),
        forbidden_lengths(),
        forbidden_contents(),
    ];
    for (what, bytes, code, suffices) in rows.concat() {
        let (_, violation) = decode(&bytes);
        assert_eq!(violation.map(|v| v.code), Some(code), "{what}");
        let (_, told) = decode(&bytes[..suffices]);
        assert_eq!(told, violation, "{what}: {suffices} bytes suffice");
        let (_, told) = decode(&bytes[..suffices - 1]);
        assert_eq!(
            told, None,
            "{what}: nothing is wrong before byte {suffices}"
        );
        assert!(violation.is_some_and(|v| v.reason.len() <= 123), "{what}");
    }
}

#[test]
fn a_refused_header_has_reserved_nothing() {
    for length in [1 << 30, 1 << 40] {
        let mut decoder = FrameDecoder::new(16 << 20);
        let mut header = Bytes::from(long_header(LAST | 2, length));
        assert_eq!(decoder.decode(&mut header), Err(TOO_LARGE));
        assert_eq!(decoder.held(), 0);
    }
    let mut decoder = FrameDecoder::new(16 << 20);
    let mut header = Bytes::from([long_header(LAST | 2, 16 << 20), MASK.to_vec()].concat());
    assert_eq!(decoder.decode(&mut header), Ok(None));
    assert_eq!(
        decoder.held(),
        0,
        "nor does an accepted one before its body comes"
    );
}

#[test]
fn a_million_empty_fragments_are_refused_and_cost_no_memory() {
    let mut decoder = FrameDecoder::new(LIMIT);
    let mut first = Bytes::from(frame(1, b""));
    assert_eq!(decoder.decode(&mut first), Ok(None));
    let empty = Bytes::from(frame(0, b""));
    let refused_at = (2..=1_000_000).find(|_| {
        assert_eq!(decoder.held(), 0);
        decoder.decode(&mut empty.clone()) == Err(TOO_MANY_FRAGMENTS)
    });
    assert_eq!(refused_at, Some(MIN_FRAGMENTS + 1));
    assert_eq!(TOO_MANY_FRAGMENTS.code, 1008);
}

#[test]
fn the_fragments_of_one_message_do_not_count_for_the_next() {
    let mut bytes = frame(2, b"");
    bytes.extend(frame(0, b"").repeat(MIN_FRAGMENTS - 2));
    bytes.extend(frame(LAST, b"x"));
    let (said, violation) = decode(&bytes.repeat(3));
    assert_eq!(violation, None);
    assert_eq!(said, vec![Inbound::Binary(Bytes::from_static(b"x")); 3]);
}

#[test]
fn an_idle_decoder_holds_nothing() {
    let mut decoder = FrameDecoder::new(LIMIT);
    let text = "x".repeat(LIMIT);
    let mut heard = Ok(None);
    for piece in frame(LAST | 1, text.as_bytes()).chunks(7) {
        heard = decoder.decode(&mut Bytes::copy_from_slice(piece));
    }
    assert_eq!(heard, Ok(Some(Inbound::Text(text))));
    assert_eq!(decoder.held(), 0);
    assert!(
        size_of::<FrameDecoder>() <= 192,
        "{}",
        size_of::<FrameDecoder>()
    );
}

#[test]
fn a_ping_byte_by_byte_inside_a_full_message_stays_within_the_bound() {
    let bytes = [frame(2, &[0; LIMIT]), frame(LAST | 9, &[0; 125])].concat();
    let (said, violation) = decode_all(LIMIT, bytes.chunks(1));
    assert_eq!(said, [Inbound::Ping(Bytes::from_static(&[0; 125]))]);
    assert_eq!(violation, None);
}

#[test]
fn a_message_as_large_as_the_limit_is_accepted_whole_or_in_fragments() {
    let body = vec![7; LIMIT];
    let (first, second) = body.split_at(999);
    for bytes in [
        frame(LAST | 2, &body),
        [frame(2, first), frame(LAST, second)].concat(),
        [frame(2, &body), frame(LAST, b"")].concat(),
    ] {
        assert_eq!(
            decode(&bytes),
            (vec![Inbound::Binary(body.clone().into())], None)
        );
    }
}

#[test]
fn a_ping_between_fragments_is_heard_before_the_message() {
    let bytes = [
        frame(1, b"\xE2"),
        frame(LAST | 9, b"?"),
        frame(LAST, b"\x82\xAC"),
    ]
    .concat();
    let expected = vec![Inbound::Ping("?".into()), Inbound::Text("€".into())];
    assert_eq!(decode(&bytes), (expected, None));
}

#[test]
fn close_codes_that_may_be_sent_are_accepted_and_nothing_is_heard_after() {
    for code in [
        1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999,
    ] {
        let close = frame(LAST | 8, &[&u16::to_be_bytes(code)[..], b"bye"].concat());
        let bytes = [frame(1, b"half"), close, frame(LAST, b"x"), vec![0xFF; 50]].concat();
        let expected = vec![Inbound::Close(Some((code, "bye".into())))];
        assert_eq!(decode(&bytes), (expected, None));
    }
    assert_eq!(
        decode(&frame(LAST | 8, b"")),
        (vec![Inbound::Close(None)], None)
    );
}

/// Bytes that are mostly frames, so that random tests get past the first header.
fn mostly_frames() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![
        20 => prop::sample::select(vec![0u8, 1, 2, LAST, LAST | 1, LAST | 2, LAST | 9, LAST | 0xA]),
        1 => any::<u8>(),
    ];
    let body = prop_oneof![
        ".{0,60}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..300),
    ];
    let part = prop_oneof![
        8 => (opcode, body).prop_map(|(first, body)| frame(first, &body)),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => any::<u64>().prop_map(|length| long_header(LAST | 2, length)),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn inbound() -> impl Strategy<Value = Inbound> {
    let small = || prop::collection::vec(any::<u8>(), 0..=125).prop_map(Bytes::from);
    prop_oneof![
        ".{0,200}".prop_map(Inbound::Text),
        prop::collection::vec(any::<u8>(), 0..70_000).prop_map(|body| Inbound::Binary(body.into())),
        small().prop_map(Inbound::Ping),
        small().prop_map(Inbound::Pong),
    ]
}

/// The frames of `inbound`, data in as many fragments as `cuts` has places for.
fn encode(inbound: &Inbound, cuts: &[prop::sample::Index]) -> Vec<u8> {
    let (opcode, body) = match inbound {
        Inbound::Text(text) => (1, text.as_bytes()),
        Inbound::Binary(body) => (2, &body[..]),
        Inbound::Ping(body) => return frame(LAST | 9, body),
        Inbound::Pong(body) => return frame(LAST | 0xA, body),
        Inbound::Close(None) => return frame(LAST | 8, b""),
        Inbound::Close(Some((code, reason))) => {
            return frame(
                LAST | 8,
                &[&code.to_be_bytes()[..], reason.as_bytes()].concat(),
            );
        }
    };
    let fragments = cut(body, cuts);
    let count = fragments.len();
    let mut out = Vec::new();
    for (i, fragment) in fragments.into_iter().enumerate() {
        let opcode = if i == 0 { opcode } else { 0 };
        let last = if i + 1 == count { LAST } else { 0 };
        out.extend(frame(last | opcode, fragment));
    }
    out
}

fn cut<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..20)
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_result_is_the_same(bytes in mostly_frames(), cuts in cuts()) {
        let whole = decode(&bytes);
        prop_assert_eq!(&decode_all(LIMIT, cut(&bytes, &cuts)), &whole);
        prop_assert_eq!(&decode_all(LIMIT, bytes.chunks(1)), &whole);
    }

    #[test]
    fn what_a_client_encodes_is_what_is_heard(
        said in prop::collection::vec((inbound(), cuts()), 0..6),
        cuts in cuts(),
    ) {
        let bytes: Vec<u8> = said.iter().flat_map(|(inbound, cuts)| encode(inbound, cuts)).collect();
        let (heard, violation) = decode_all(70_000, cut(&bytes, &cuts));
        prop_assert_eq!(violation, None);
        prop_assert_eq!(heard, said.into_iter().map(|(inbound, _)| inbound).collect::<Vec<_>>());
    }

    #[test]
    fn noise_neither_panics_nor_costs_memory(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        decode_all(LIMIT, bytes.chunks(33));
        decode_all(0, [&bytes[..]]);
    }
}
