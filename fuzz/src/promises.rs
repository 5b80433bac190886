//! What must hold whatever bytes come. The fuzz targets show it bytes of their own making; `scripts/test` shows it all
//! files of the corpora.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::subject::{
    FrameDecoder, Inbound, Violation,
    body::{self, Unread},
    command, limits, names,
    views::{FieldError, Login, NewMessage, Refresh, Register},
};

/// Longest sentence about a fault, in bytes: what was sent is not repeated in it.
const MAX_SENTENCE: usize = 200;

/// The socket's frame decoder: however the bytes are cut, no more memory than the limit allows, and one result. The
/// first two bytes choose the limit and the size of the pieces.
pub fn frames(data: &[u8]) {
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
}

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

/// The JSON in a frame: what was understood means the same when it is said again.
pub fn commands(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let reference = match command::parse(text) {
        Ok(request) => {
            let again = serde_json::to_string(&request).expect("a request is JSON");
            assert_eq!(command::parse(&again).as_ref(), Ok(&request));
            request.reference
        }
        Err(error) => {
            assert!(!error.detail.is_empty());
            assert!(error.detail.len() <= MAX_SENTENCE, "{}", error.detail);
            error.reference
        }
    };
    assert!(reference.is_none_or(|text| text.chars().count() <= limits::MAX_REF));
}

/// `POST /api/auth/register`: what is accepted is fit for the database, for bcrypt and for a terminal.
pub fn register(data: &[u8]) {
    let Some(new) = read::<Register>(data) else {
        return;
    };
    let faults = body::account_faults(&new);
    faults.iter().for_each(is_told_well);
    if !faults.is_empty() {
        return;
    }
    assert!(limits::NAME.contains(&new.username.len()) && new.username.is_ascii());
    assert!(
        !new.username
            .contains(|c: char| c.is_ascii_control() || c == ' ')
    );
    assert!(new.password.len() <= limits::MAX_PASSWORD_BYTES && !new.password.contains('\0'));
    assert!(new.password.chars().count() >= limits::MIN_PASSWORD_CHARACTERS);
    assert!(
        new.email.is_none_or(
            |email| email.len() <= limits::MAX_EMAIL && !email.contains(char::is_control)
        )
    );
}

/// `POST /api/auth/login`: only what can be a name is looked up.
pub fn login(data: &[u8]) {
    if let Some(login) = read::<Login>(data) {
        let fit = login.username.len() <= *limits::NAME.end()
            && login.username.bytes().all(|b| b.is_ascii_graphic());
        assert!(fit || !names::is_username(&login.username));
    }
}

/// `POST /api/auth/refresh`. What the token itself is worth is for the library of its signature to say.
pub fn refresh(data: &[u8]) {
    read::<Refresh>(data);
}

/// `POST /api/rooms/{room}/messages`: what is accepted can be stored by both databases. The first byte chooses the
/// limit.
pub fn message(data: &[u8]) {
    let Some((most, data)) = data.split_first() else {
        return;
    };
    let Some(new) = read::<NewMessage>(data) else {
        return;
    };
    let most = usize::from(*most);
    let faults = body::message_faults(&new.content, new.client_id.as_deref(), most);
    faults.iter().for_each(is_told_well);
    if !faults.is_empty() {
        return;
    }
    assert!((1..=most).contains(&new.content.len()) && !new.content.contains('\0'));
    let fit = |id: &str| (1..=64).contains(&id.chars().count()) && !id.contains(char::is_control);
    assert!(new.client_id.as_deref().is_none_or(fit));
}

/// Reads a body. What is read means the same when it is written again; what is not gets a sentence.
fn read<T: DeserializeOwned + Serialize>(data: &[u8]) -> Option<T> {
    match body::parse::<T>(data) {
        Ok(value) => {
            assert!(data.trim_ascii_start().starts_with(b"{"));
            let once = serde_json::to_vec(&value).expect("it is JSON");
            let again = body::parse::<T>(&once).unwrap_or_else(|_| panic!("it does not read back"));
            assert_eq!(serde_json::to_vec(&again).expect("it is JSON"), once);
            Some(value)
        }
        Err(Unread::NotJson) => None,
        Err(Unread::Misshapen(field)) => {
            is_told_well(&field);
            None
        }
    }
}

fn is_told_well(field: &FieldError) {
    assert_eq!(field.loc.first().map(String::as_str), Some("body"));
    assert!(field.loc.len() <= 2 && field.msg.ends_with('.'));
    assert!(field.msg.len() <= MAX_SENTENCE, "{}", field.msg);
    let inner = |word: &&str| field.msg.contains(word);
    assert_eq!(
        [" line ", "struct", "u64"].iter().find(|word| inner(word)),
        None
    );
}
