//! Accounts and logins: registering, logging in, keeping a login alive, and ending it.

use std::net::IpAddr;

use chrono::TimeDelta;

use super::{Caller, account_changes, networks, passwords};
use crate::{
    app::App,
    crypto::{password, token::RefreshSecret},
    db::{
        self,
        sessions::{self, Refreshed, Session},
        users::{self, NewUser},
        utc,
    },
    error::{Code, Error, Kind, Result},
    gate::Urgency,
    protocol::{
        body, limits, names,
        time::{Timestamp, now},
        views::{Login, Register, Tokens, User},
    },
};

/// Whoever uses a refresh token so soon after it was used is taken for the same client: two tabs, or one that asks again
/// since no answer came.
const SAME_USE: TimeDelta = TimeDelta::seconds(10);

/// No password is accepted that would be cut.
const _: () = assert!(limits::MAX_PASSWORD_BYTES <= password::MAX_BYTES);

/// Makes an account. `may_register` says whether registration is open for whoever asks.
///
/// # Errors
/// 403 where registration is closed, 400 for a name that is taken, 422, 429, 503.
pub async fn register(
    app: &App,
    new: Register,
    address: Option<IpAddr>,
    may_register: bool,
) -> Result<User> {
    if !may_register {
        return Err(registration_closed());
    }
    let wrong = body::account_faults(&new);
    if !wrong.is_empty() {
        return Err(Error::invalid(wrong));
    }
    app.rates.check_registration(address)?;
    let taken = || Error::bad_request(Code::UsernameTaken, "Username already registered");
    let name = new.username.clone();
    let deleted = app.deleted_names.of(&users::hash_of(&name));
    let known = deleted.clone();
    let is_free = app.db.read(move |conn| users::is_free(conn, &name, &known));
    if !is_free.await? {
        return Err(taken());
    }
    let (secret, cost) = (new.password, app.config.bcrypt_cost);
    let hash = app
        .passwords
        .run_for(
            networks::asker(address, false),
            Urgency::Urgent,
            move || password::hash(&secret, cost),
        )
        .await?
        .map_err(Error::internal)?;
    let (username, created_at) = (new.username, now());
    let (name, email) = (
        username.clone(),
        new.email.map(|email| app.vault.seal(&email)),
    );
    let inserted = app.db.write(move |conn| {
        let new = NewUser {
            username: &name,
            password_hash: &hash,
            email: email.as_deref(),
            created_at,
            deleted: &deleted,
        };
        users::insert(conn, &new)
    });
    let id = inserted.await?.ok_or_else(taken)?;
    Ok(User {
        id,
        username,
        created_at,
    })
}

/// The answer to who wants to register where registration is closed.
fn registration_closed() -> Error {
    let detail = "Registration is closed on this server: whoever runs it adds people with `parlour users add NAME`, \
                  or opens it with REGISTRATION=open.";
    Error::new(Kind::Forbidden, Code::RegistrationClosed, detail)
}

/// Begins a login. Takes the same time and says the same whether the name or the password is wrong.
///
/// # Errors
/// 401, 403 for whoever has the right password of a disabled account, 429, 503.
pub async fn log_in(app: &App, login: Login, address: Option<IpAddr>) -> Result<Tokens> {
    let (user, is_known) = find_account(app, &login.username, address).await?;
    let asker = networks::asker(address, is_known);
    let form = passwords::check(app, &login, user.as_ref(), asker).await?;
    let (user, form) = user.zip(form).ok_or_else(wrong_credentials)?;
    if user.disabled_at.is_some() {
        return Err(Error::new(
            Kind::Forbidden,
            Code::AccountDisabled,
            "This account is disabled; ask whoever runs this server.",
        ));
    }
    passwords::hash_again_if_outdated(app, &user, login.password, form);
    let secret = RefreshSecret::generate().map_err(Error::internal)?;
    let (hash, user_id, credentials) = (secret.hash(), user.id, user.credentials);
    let ends = app.clock.now() + session_life(app);
    let network = app.networks.name(user_id, address);
    let most = app.config.sessions_per_user;
    let begun = app.db.write(move |conn| {
        // The password may have been changed, or the account disabled, since we looked. And one login of a user after the
        // other, so that no more are begun at once than there may be.
        if !users::hold_credentials(conn, user_id, credentials)? {
            return Ok(None);
        }
        if let Some(network) = network {
            db::networks::remember(conn, user_id, &network, now())?;
        }
        let id = sessions::insert(conn, user_id, &hash, now(), ends)?;
        let ended = sessions::delete_beyond(conn, user_id, id, most)?;
        Ok(Some((id, ended)))
    });
    let (session_id, ended) = begun.await?.ok_or_else(wrong_credentials)?;
    for id in ended {
        log::info!(
            "login {id} of {} is ended: there were more than {most}",
            user.username
        );
        account_changes::end_login(app, id, "too many logins: the oldest was ended");
    }
    app.known_logins.note(session_id);
    tokens(app, user.id, session_id, &secret)
}

fn wrong_credentials() -> Error {
    Error::unauthenticated(Code::WrongCredentials, "Incorrect username or password")
}

/// The account that somebody wants to log in to from this address, if there is one, and whether somebody has done so from
/// there before. Charges the try.
async fn find_account(
    app: &App,
    username: &str,
    address: Option<IpAddr>,
) -> Result<(Option<users::User>, bool)> {
    let key = users::key_of(username);
    // Text that no name can hold is not shown to the database (PostgreSQL takes no NUL).
    let possible = names::is_username(&key);
    let account = if possible { key } else { String::new() };
    app.rates.check_guess(&account, address)?;
    let (key, networks) = (account.clone(), app.networks.clone());
    let found = app.db.read(move |conn| {
        let user = if possible {
            users::find_by_name(conn, &key)?
        } else {
            None
        };
        // Asked also for a name that nobody has, since it takes time.
        let id = user.as_ref().map_or(0, |user| user.id);
        let is_known = match networks.name(id, address) {
            Some(network) => db::networks::is_known(conn, id, &network)?,
            None => false,
        };
        Ok((user, is_known))
    });
    let (user, is_known) = found.await?;
    if !is_known {
        app.rates.check_stranger(&account)?;
    }
    Ok((user, is_known))
}

fn session_life(app: &App) -> TimeDelta {
    TimeDelta::from_std(app.config.session_life).unwrap_or(TimeDelta::MAX)
}

/// When a login ends that is used now.
pub(super) fn latest_end(app: &App) -> Timestamp {
    app.clock.now() + session_life(app)
}

fn tokens(app: &App, user_id: i64, session_id: i64, secret: &RefreshSecret) -> Result<Tokens> {
    let (life, at) = (app.config.access_token_life, app.clock.now().timestamp());
    let access_token = app
        .tokens
        .sign(user_id, session_id, at, life)
        .map_err(Error::internal)?;
    let refresh_token = app
        .tokens
        .sign_refresh(session_id, secret, at, app.config.session_life)
        .map_err(Error::internal)?;
    Ok(Tokens {
        access_token,
        token_type: "bearer".into(),
        expires_in: life.as_secs(),
        refresh_token,
    })
}

/// Exchanges a refresh token for new tokens. Each is good once; but when the answer that carried the newest was lost,
/// the one before it is still good, until the newest has been used; soon after its use it gives the same newest again. Any
/// older one was stolen, or the newest was: the login ends.
///
/// # Errors
/// 401, 409, 429, 503.
pub async fn refresh(app: &App, token: &str, address: Option<IpAddr>) -> Result<Tokens> {
    let refused = || {
        Error::unauthenticated(
            Code::InvalidRefreshToken,
            "This login has ended; log in again.",
        )
    };
    // One that we have not signed says nothing about any login, and must end none.
    let Some((id, token)) = app.tokens.read_refresh(token) else {
        app.rates.check_junk(address)?;
        return Err(refused());
    };
    app.rates.check_refresh(id)?;
    let at = app.clock.now();
    let session = app
        .db
        .read(move |conn| sessions::find(conn, id, at))
        .await?
        .ok_or_else(refused)?;
    if let Some(next) = find_given(app, &session, &token)? {
        return tokens(app, session.user_id, id, &next);
    }
    if !token.matches(&session.refresh_hash) && !is_previous(&session, &token) {
        log::warn!("an old refresh token of login {id} was used again: the login is ended");
        end(app, id).await?;
        return Err(refused());
    }
    // Never sooner than before: the clock may have been put back wrongly, and will be put right.
    let ends = (at + session_life(app)).max(utc(session.expires_at));
    let next = next_secret(app, &token, ends)?;
    let (expected, refreshed) = (
        session.refresh_hash,
        Refreshed {
            refresh_hash: next.hash(),
            previous_hash: token.hash(),
            expires_at: ends,
            previous_expires_at: utc(session.expires_at),
        },
    );
    let updated = app
        .db
        .write(move |conn| sessions::update_refresh(conn, id, &expected, &refreshed))
        .await?;
    if !updated {
        // Or it was ended meanwhile: then there is no answer to use.
        let live = app.db.read(move |conn| sessions::find(conn, id, at));
        let session = live.await?.ok_or_else(refused)?;
        if let Some(next) = find_given(app, &session, &token)? {
            return tokens(app, session.user_id, id, &next);
        }
        let detail =
            "Another request has just used this refresh token; use the answer to that one.";
        return Err(Error::new(Kind::Conflict, Code::RefreshConflict, detail));
    }
    tokens(app, session.user_id, id, &next)
}

fn is_previous(session: &Session, token: &RefreshSecret) -> bool {
    let previous = session.previous_hash.as_ref();
    previous.is_some_and(|hash| token.matches(hash))
}

fn next_secret(app: &App, used: &RefreshSecret, ends: Timestamp) -> Result<RefreshSecret> {
    (app.tokens.next_refresh(used, ends.timestamp_micros())).map_err(Error::internal)
}

/// The secret that a moment ago was given for this one, or for the one that was given for it, as long as no one has used
/// it. Of those who ask at the same time one is first; were the others given another secret, the first one's would end the
/// login when it is used.
fn find_given(
    app: &App,
    session: &Session,
    token: &RefreshSecret,
) -> Result<Option<RefreshSecret>> {
    // Each use moves the end, by which it is known when that was.
    let is_recent =
        |ends: Timestamp| (app.clock.now() + session_life(app) - ends).abs() <= SAME_USE;
    let ends = utc(session.expires_at);
    if !is_recent(ends) {
        return Ok(None);
    }
    let previous = match session.previous_expires_at.map(utc) {
        _ if is_previous(session, token) => Some(token.clone()),
        Some(before) if is_recent(before) => {
            Some(next_secret(app, token, before)?).filter(|given| is_previous(session, given))
        }
        _ => None,
    };
    let Some(previous) = previous else {
        return Ok(None);
    };
    let next = next_secret(app, &previous, ends)?;
    Ok(next.matches(&session.refresh_hash).then_some(next))
}

/// Ends the caller's login: its tokens are refused from now on, its sockets are closed.
///
/// # Errors
/// 503.
pub async fn log_out(app: &App, caller: &Caller) -> Result<()> {
    end(app, caller.session_id).await
}

async fn end(app: &App, session_id: i64) -> Result<()> {
    let ended = app
        .db
        .write(move |conn| sessions::delete(conn, session_id))
        .await;
    // Also when it is not known whether the login is gone: nobody could close its sockets later.
    if !ended
        .as_ref()
        .is_err_and(|error| error.code == Code::StoreUnavailable)
    {
        account_changes::end_login(app, session_id, "this login was ended");
    }
    ended.map(|_| ())
}

/// When the caller's login ends unless it is used; `None` when it has ended.
///
/// # Errors
/// 503.
pub async fn find_end(app: &App, caller: &Caller) -> Result<Option<Timestamp>> {
    let (id, at) = (caller.session_id, app.clock.now());
    let session = app
        .db
        .read(move |conn| sessions::find(conn, id, at))
        .await?;
    Ok(session
        .filter(|session| session.user_id == caller.user_id)
        .map(|session| utc(session.expires_at)))
}

/// The answer to a token that is nobody's.
#[must_use]
pub fn invalid_token() -> Error {
    Error::invalid_token()
}
