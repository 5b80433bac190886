//! Accounts: registering, logging in, and changing the password.

use std::{net::IpAddr, sync::Arc};

use super::{
    Caller,
    authentication::Authentication,
    heirs::Heirs,
    networks::{self, Networks},
    passwords::Passwords,
    rates::Rates,
    statuses::Statuses,
};
use crate::{
    crypto::{binding::Place, keyed::DeletedNames, password, token::RefreshSecret, vault::Vault},
    db::{
        self, Db, sessions,
        users::{
            self, NewUser, Rival, Standing,
            changes::{self, Act, Actor},
        },
    },
    error::{Code, Error, Kind, Result},
    protocol::{
        body, limits, names,
        time::now,
        views::{ChangePassword, Login, Register, Tokens, User},
    },
};

/// No password is accepted that would be cut.
const _: () = assert!(limits::MAX_PASSWORD_BYTES <= password::MAX_BYTES);

/// The accounts of everyone.
pub struct Accounts {
    /// Where they are stored.
    pub db: Db,
    /// Checks and hashes their passwords.
    pub passwords: Passwords,
    /// Knows the logins to them, and gives out tokens.
    pub authentication: Arc<Authentication>,
    /// Knows whether all of them share `general`.
    pub statuses: Arc<Statuses>,
    /// Most logins of one.
    pub most_logins: i64,
    /// From where people have logged in.
    pub networks: Networks,
    /// Stands for the names of deleted ones, which no one can take.
    pub deleted_names: DeletedNames,
    /// Seals e-mail addresses.
    pub vault: Arc<Vault>,
    /// How often one may try.
    pub rates: Rates,
    /// Has `general` say so when it belongs to someone new.
    pub heirs: Arc<Heirs>,
}

impl Accounts {
    /// Makes an account. `may_register` says whether registration is open for whoever asks.
    ///
    /// # Errors
    /// 403 where registration is closed, 400 for a name that is taken, 422, 429, 503.
    pub async fn register(
        &self,
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
        self.rates.check_registration(address)?;
        let name = new.username.clone();
        let deleted = self.deleted_names.of(&users::hash_of(&name));
        let known = deleted.clone();
        let rival = self
            .db
            .read(move |conn| users::find_rival(conn, &name, &known));
        if let Some(rival) = rival.await? {
            return Err(taken(rival));
        }
        let asker = networks::asker(address, None);
        let hash = self.passwords.hash(new.password, asker).await?;
        let (username, created_at) = (new.username, now());
        let (name, email, vault) = (username.clone(), new.email, Arc::clone(&self.vault));
        let inserted = self.db.write(move |conn| {
            let new = NewUser {
                username: &name,
                password_hash: &hash,
                created_at,
                deleted: &deleted,
            };
            let id = users::insert(conn, &new)?;
            if let (Ok(id), Some(email)) = (id, email) {
                let sealed = vault.seal_at(Place::of_email(id), &email);
                users::emails::set_email(conn, id, &sealed)?;
            }
            Ok(id)
        });
        let id = inserted.await?.map_err(taken)?;
        self.heirs.notice();
        // One more may be too many to be told of each other. If it cannot be asked now, it is soon asked again.
        let _asked_again = self.statuses.bring_to_hub().await;
        Ok(User {
            id,
            username,
            created_at,
        })
    }

    /// Begins a login. Takes the same time and says the same whether the name or the password is wrong.
    ///
    /// # Errors
    /// 401, 403 for whoever has the right password of a disabled account, 429, 503.
    pub async fn log_in(&self, login: Login, address: Option<IpAddr>) -> Result<Tokens> {
        let (user, is_known) = self.find_account(&login.username, address).await?;
        let known_account = user.as_ref().filter(|_| is_known).map(|user| user.id);
        let asker = networks::asker(address, known_account);
        let form = self.passwords.check(&login, user.as_ref(), asker).await?;
        let (user, form) = user.zip(form).ok_or_else(wrong_credentials)?;
        if user.disabled_at.is_some() {
            return Err(account_disabled());
        }
        self.passwords
            .hash_again_if_outdated(&user, login.password, form, asker);
        let secret = RefreshSecret::generate().map_err(Error::internal)?;
        let (hash, user_id, seen) = (secret.hash(), user.id, user.clone());
        let logins = &self.authentication.logins;
        let ends = logins.latest_end();
        let network = self.networks.name(user_id, address);
        let most = self.most_logins;
        let begun = self.db.write(move |conn| {
            // The password may have been changed, or the account disabled, since we looked. And one login of a user after the
            // other, so that no more are begun at once than there may be.
            match users::hold_credentials(conn, &seen)? {
                Standing::Same => {}
                Standing::Disabled => return Ok(Err(account_disabled())),
                Standing::Changed => return Ok(Err(wrong_credentials())),
            }
            if let Some(network) = network {
                db::networks::remember(conn, user_id, &network, now())?;
            }
            let id = sessions::insert(conn, user_id, &hash, now(), ends)?;
            let ended = sessions::delete_beyond(conn, user_id, id, most)?;
            Ok(Ok((id, ended)))
        });
        let (session_id, ended) = begun.await??;
        for id in ended {
            log::info!(
                "login {id} of {} is ended: there were more than {most}",
                user.username
            );
            logins.note_end(id, "too many logins: the oldest was ended");
        }
        logins.known.note(session_id);
        self.authentication.issue(user.id, session_id, &secret)
    }

    /// The account that someone wants to log in to from this address, if there is one, and whether someone has done so from
    /// there before. Charges the try.
    async fn find_account(
        &self,
        username: &str,
        address: Option<IpAddr>,
    ) -> Result<(Option<users::User>, bool)> {
        let key = users::key_of(username);
        // Text that no name can hold is not shown to the database (PostgreSQL takes no NUL).
        let possible = names::is_username(&key);
        let account = if possible { key } else { String::new() };
        self.rates.check_guess(&account, address)?;
        let (key, networks) = (account.clone(), self.networks.clone());
        let found = self.db.read(move |conn| {
            let user = if possible {
                users::find_by_name(conn, &key)?
            } else {
                None
            };
            // Asked also for a name that no one has, since it takes time.
            let id = user.as_ref().map_or(0, |user| user.id);
            let is_known = match networks.name(id, address) {
                Some(network) => db::networks::is_known(conn, id, &network)?,
                None => false,
            };
            Ok((user, is_known))
        });
        let (user, is_known) = found.await?;
        if !is_known {
            self.rates.check_stranger(&account)?;
        }
        Ok((user, is_known))
    }

    /// Gives the caller another password, and ends all other logins of the account.
    ///
    /// # Errors
    /// 401, 403 for a wrong password, 422, 429, 503.
    pub async fn change_password(
        &self,
        caller: &Caller,
        change: ChangePassword,
        address: Option<IpAddr>,
    ) -> Result<()> {
        let wrong = body::password_fault("new", &change.new);
        if let Some(wrong) = wrong {
            return Err(Error::invalid(vec![wrong]));
        }
        // The user first: who is logged in cannot use up what the logins of a whole address share.
        self.rates.check_own_guess(caller.user_id)?;
        self.rates.check_address(address)?;
        let user_id = caller.user_id;
        let user = self
            .db
            .read(move |conn| users::find(conn, user_id))
            .await?
            .ok_or_else(Error::invalid_token)?;
        let replacing =
            self.passwords
                .replace(&user, change, networks::asker(address, Some(user_id)));
        let hash = replacing.await?.ok_or_else(wrong_password)?;
        let logins = &self.authentication.logins;
        let (kept, at) = (caller.session_id, logins.clock.now());
        let changing = self.db.write(move |conn| {
            if sessions::find(conn, kept, at)?.is_none() {
                return Ok(None);
            }
            let ended = changes::set_password(conn, &user, &hash, Some(kept))?;
            if ended.is_some() {
                changes::record(conn, Act::Password, user_id, Actor::Owner, now())?;
            }
            Ok(Some(ended))
        });
        // Where the login lives, another change was faster, and the password is another now.
        let ended = changing
            .await?
            .ok_or_else(Error::invalid_token)?
            .ok_or_else(wrong_password)?;
        for id in ended {
            let reason = "the password was changed";
            logins.note_end(id, reason);
        }
        Ok(())
    }
}

/// The answer to who wants to register where registration is closed.
fn registration_closed() -> Error {
    let detail = "Registration is closed on this server: whoever runs it adds people with `parlour users add NAME`, \
                  or opens it with REGISTRATION=open.";
    Error::new(Kind::Forbidden, Code::RegistrationClosed, detail)
}

fn account_disabled() -> Error {
    let detail = "This account is disabled; ask whoever runs this server.";
    Error::new(Kind::Forbidden, Code::AccountDisabled, detail)
}

fn wrong_password() -> Error {
    let detail = "The current password is not right.";
    Error::new(Kind::Forbidden, Code::WrongPassword, detail)
}

/// Why a name is not to be had.
fn taken(rival: Rival) -> Error {
    let detail = match rival {
        Rival::Same => "Username already registered",
        Rival::Alike => "This username looks like one that is taken; choose another one.",
    };
    Error::bad_request(Code::UsernameTaken, detail)
}

fn wrong_credentials() -> Error {
    Error::unauthenticated(Code::WrongCredentials, "Incorrect username or password")
}
