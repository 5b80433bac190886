//! What is written in a trace: the paths, the bytes and the tokens in a line that strace wrote.

/// The Fernet tokens in what was written.
pub(super) fn sealed_texts(bytes: &[u8]) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.iter().position(|byte| *byte == b'g') {
        rest = &rest[at..];
        let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"-_=".contains(byte);
        let length = if rest.starts_with(b"gAAAA") {
            rest.iter().position(ends).unwrap_or(rest.len())
        } else {
            1
        };
        // A token ends where the next column begins, which may begin with anything: its own length says where.
        if length >= TOKEN {
            found.push(String::from_utf8_lossy(&rest[..TOKEN]).into_owned());
        }
        rest = &rest[length.max(1)..];
    }
    found
}

/// As much of a token as makes it unique: its time, and all of its random bytes.
pub const TOKEN: usize = 60;

/// `pwrite64(11</a/b>, …` names `/a/b`.
pub(super) fn path_of_descriptor(call: &str) -> Option<String> {
    let (_, rest) = call.split_once('(')?;
    let (number, rest) = rest.split_once('<')?;
    number.parse::<u32>().ok()?;
    let (path, _) = rest.split_once('>')?;
    Some(String::from_utf8_lossy(&unhex(path)).into_owned())
}

/// What a call hands to the network.
pub(super) fn sent(call: &str) -> Option<Vec<u8>> {
    let (name, _) = call.split_once('(')?;
    let to_network = matches!(name, "sendto" | "sendmsg" | "write" | "writev")
        && path_of_descriptor(call)
            .is_some_and(|path| path.starts_with("socket:") || path.starts_with("TCP"));
    to_network.then(|| strings(call).concat())
}

/// The bytes of everything between quotes.
pub(super) fn strings(text: &str) -> Vec<Vec<u8>> {
    text.split('"').skip(1).step_by(2).map(unhex).collect()
}

/// `\x41b` is `Ab`.
pub(super) fn unhex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let escaped = rest
            .strip_prefix("\\x")
            .and_then(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok());
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = &rest[4..];
        } else {
            let mut buffer = [0; 4];
            bytes.extend(next.encode_utf8(&mut buffer).bytes());
            rest = &rest[next.len_utf8()..];
        }
    }
    bytes
}
