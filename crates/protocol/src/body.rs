//! What the body of a request must be: JSON of the right shape, with values that are allowed. Pure, so that any bytes
//! can be shown to it; the socket's messages keep to the same rules.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    limits::{MAX_CLIENT_ID, MAX_EMAIL, MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARACTERS},
    names, shape,
    views::{FieldError, Register},
};

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// It is not JSON.
    NotJson,
    /// It is JSON of another shape.
    Misshapen(FieldError),
}

/// Reads a body.
///
/// # Errors
/// [`Unread`].
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unread> {
    // serde would take an array of the fields' values too.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(match serde_json::from_slice::<IgnoredAny>(body) {
            Ok(_) => Unread::Misshapen(FieldError {
                loc: vec!["body".into()],
                msg: "The body must be a JSON object.".into(),
            }),
            Err(_) => Unread::NotJson,
        });
    }
    serde_json::from_slice(body).or_else(|error| {
        if error.is_data() || shape::is_out_of_range(&error) {
            return Err(misshapen(&error));
        }
        // serde also takes a value of another kind for a fault of the syntax, where it expects one of some words: then all
        // of it can be read as JSON.
        let value: Value = serde_json::from_slice(body).map_err(|_| Unread::NotJson)?;
        T::deserialize(value).map_err(|error| misshapen(&error))
    })
}

fn misshapen(error: &serde_json::Error) -> Unread {
    let text = shape::sentence(error);
    // serde names a missing or doubled field in backquotes, and nothing else that we would want to show.
    let field = text.split('`').nth(1).filter(|_| text.contains("field"));
    let loc = std::iter::once("body".to_owned())
        .chain(field.map(ToOwned::to_owned))
        .collect();
    Unread::Misshapen(FieldError {
        loc,
        msg: format!("The body is not as expected: {text}."),
    })
}

/// What is wrong with a new account, field by field.
#[must_use]
pub fn account_faults(new: &Register) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    if let Some(msg) = names::fault(&new.username) {
        wrong.push(FieldError::body("username", msg));
    }
    wrong.extend(password_fault("password", &new.password));
    if new
        .email
        .as_ref()
        .is_some_and(|email| !looks_like_email(email))
    {
        wrong.push(FieldError::body("email", "This is not an e-mail address."));
    }
    wrong
}

/// What is wrong with a new password, which stands in this field. Counted in the form in which it is hashed.
#[must_use]
pub fn password_fault(field: &str, password: &str) -> Option<FieldError> {
    let composed = || password.nfc();
    let msg = if composed().count() < MIN_PASSWORD_CHARACTERS {
        format!("A password must have at least {MIN_PASSWORD_CHARACTERS} characters.")
    } else if composed().map(char::len_utf8).sum::<usize>() > MAX_PASSWORD_BYTES {
        format!(
            "A password may have at most {MAX_PASSWORD_BYTES} bytes: what is beyond would not count."
        )
    } else if names::is_blank(password) {
        "A password may not be blank.".into()
    } else if password.contains('\0') {
        "A password may not hold a NUL character.".into()
    } else {
        return None;
    };
    Some(FieldError::body(field, msg))
}

/// What is wrong with a message that may have at most `most` bytes, field by field.
#[must_use]
pub fn message_faults(content: &str, client_id: Option<&str>, most: usize) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    if names::is_blank(content) {
        wrong.push(FieldError::body("content", "A message may not be empty."));
    } else if content.len() > most {
        wrong.push(FieldError::body(
            "content",
            format!("A message may have at most {most} bytes."),
        ));
    } else if content.contains('\0') {
        wrong.push(FieldError::body(
            "content",
            "A message may not hold a NUL character.",
        ));
    }
    if let Some(id) = client_id
        && (id.is_empty() || id.chars().count() > MAX_CLIENT_ID || id.chars().any(char::is_control))
    {
        let msg = format!(
            "`client_id` must have 1 to {MAX_CLIENT_ID} characters, none of them control characters."
        );
        wrong.push(FieldError::body("client_id", msg));
    }
    wrong
}

/// Only what is surely wrong is refused: whether an address works is shown by a mail that arrives.
fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    text.len() <= MAX_EMAIL
        && !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_another_shape_is_json_all_the_same() {
        for (body, said) in [
            (
                r#"{"name":"tea","kind":5}"#,
                "invalid type: integer, expected a string",
            ),
            (
                r#"{"name":"tea","kind":null}"#,
                "invalid type: null, expected a string",
            ),
            (
                r#"{"name":"tea","kind":["public"]}"#,
                "invalid type: sequence, expected a string",
            ),
            (
                r#"{"name":"tea","kind":{}}"#,
                "invalid value: map, expected map with a single key",
            ),
            (r#"{"name":"tea","kind":"secret"}"#, "unknown variant"),
            (r#"{"name":5}"#, "invalid type: integer, expected a string"),
        ] {
            match parse::<crate::room::NewRoom>(body.as_bytes()) {
                Err(Unread::Misshapen(fault)) => {
                    assert_eq!(fault.loc[0], "body", "{body}");
                    assert!(fault.msg.contains(said), "{body}: {}", fault.msg);
                }
                other => panic!("{body}: {other:?}"),
            }
        }
        let beyond = br#"{"slow_seconds":1e999}"#;
        let read = parse::<crate::room::RoomPatch>(beyond);
        assert!(matches!(read, Err(Unread::Misshapen(_))), "{read:?}");
        for body in [
            r#"{"name":"tea","kind":5"#,
            r#"{"name":"tea","kind":}"#,
            r#"{"name":"tea","kind":public}"#,
            r#"{"name":"tea","kind":5} more"#,
            r#"{"name":"\ud800"}"#,
            "",
        ] {
            let read = parse::<crate::room::NewRoom>(body.as_bytes());
            assert_eq!(read, Err(Unread::NotJson), "{body}");
        }
    }

    #[test]
    fn what_is_surely_no_email_address_is_refused() {
        assert!(looks_like_email("alice@example.org"));
        for text in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "a b@example.org",
            "alice@example",
            "a\u{0}@example.org",
        ] {
            assert!(!looks_like_email(text), "{text:?}");
        }
    }
}
