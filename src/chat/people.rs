//! Whom clients mean: digits alone are the number of an account, all else is a name.

use std::collections::BTreeSet;

use super::{Caller, access::Access};
use crate::{
    db::users,
    error::{Error, Kind, Result},
    gate::Urgency,
    protocol::names,
};

/// How a client has called a user.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Called {
    Id(i64),
    Name(String),
}

/// `None` for what can be no one.
fn read(text: &str) -> Option<Called> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Called::Id);
    }
    names::is_username(text).then(|| Called::Name(text.to_owned()))
}

/// There is no one of this name. It is repeated only where it can be one.
fn no_one(text: &str) -> Error {
    if read(text).is_none() {
        return Error::no_such_user();
    }
    let code = Error::no_such_user().code;
    Error::new(
        Kind::NotFound,
        code,
        format!("There is no user called {text}."),
    )
}

/// The numbers of these users, in the order of the numbers.
///
/// # Errors
/// 401 when the login has ended, 404 when one of them does not exist, 422 when one is named twice, 503.
pub async fn find(access: &Access, caller: &Caller, texts: Vec<String>) -> Result<BTreeSet<i64>> {
    if texts.is_empty() {
        return Ok(BTreeSet::new());
    }
    if let Some(wrong) = texts.iter().find(|text| read(text).is_none()) {
        return Err(no_one(wrong));
    }
    let meant: Vec<Called> = texts.iter().filter_map(|text| read(text)).collect();
    let sought = meant.clone();
    let found = access.for_caller(caller, Urgency::CanWait, move |conn| {
        let (mut names, mut ids) = (Vec::new(), Vec::new());
        for one in &sought {
            match one {
                Called::Id(id) => ids.push(*id),
                Called::Name(name) => names.push(name.as_str()),
            }
        }
        users::list_named(conn, &names, &ids)
    });
    let found = found.await?;
    let mut known = BTreeSet::new();
    for (text, one) in texts.iter().zip(&meant) {
        let is_meant = |(id, username): &&(i64, String)| match one {
            Called::Id(number) => id == number,
            Called::Name(name) => username.eq_ignore_ascii_case(name),
        };
        let (id, _) = found.iter().find(is_meant).ok_or_else(|| no_one(text))?;
        if !known.insert(*id) {
            return Err(Error::invalid_field("users", "Name each user once."));
        }
    }
    Ok(known)
}

/// The number of this user.
///
/// # Errors
/// As [`find`].
pub async fn find_one(access: &Access, caller: &Caller, text: String) -> Result<i64> {
    let found = find(access, caller, vec![text]).await?;
    found.into_iter().next().ok_or_else(Error::no_such_user)
}
