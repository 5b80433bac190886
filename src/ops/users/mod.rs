//! `parlour users`: what whoever runs the server does to accounts, beside a server that runs or is stopped. It works on the
//! database; a server on the same one notices within a second, and closes what has ended.

mod database;
mod password;
mod person;
mod show;
mod traces;

use std::io;

use clap::{Args, Subcommand};

use crate::{
    config::{KeySettings, StorageSettings},
    crypto::{self, keyed::DeletedNames, vault::Vault},
    db::{
        AnyConnection, QueryError, sessions,
        users::{
            self, NewUser, Rival, User,
            changes::{self, Act, Actor},
        },
    },
    printing,
    protocol::{
        names,
        time::{Timestamp, now},
    },
};
use database::{Accounts, Failure};
use password::PasswordOptions;

/// What `parlour users` can do.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Show all accounts
    List {
        /// How.
        #[command(flatten)]
        show: Show,
    },
    /// Make an account: the name has 3 to 50 letters, digits, _ or -, and the password at least 8 characters
    ///
    /// You are asked for the password. If standard input is not a terminal, one line is read from it; with --generate, a
    /// password is made up and printed. It is never an argument, since others on the machine can see those.
    Add {
        /// Whose.
        #[command(flatten)]
        whose: Whose,
        /// Those of the server.
        #[command(flatten)]
        keys: KeySettings,
        /// With which password.
        #[command(flatten)]
        password: PasswordOptions,
    },
    /// Change the password of an account, and end its logins
    ///
    /// You are asked for the password. If standard input is not a terminal, one line is read from it; with --generate, a
    /// password is made up and printed. It is never an argument, since others on the machine can see those.
    SetPassword {
        /// Whose.
        #[command(flatten)]
        whose: Whose,
        /// Which password.
        #[command(flatten)]
        password: PasswordOptions,
    },
    /// Lock an account: no one can log in to it, and its logins end
    Disable(Whose),
    /// Unlock an account, so that its owner can log in again
    Enable(Whose),
    /// Delete an account: its messages stay, under a meaningless name, and no one can take its own name again
    Delete {
        /// Whose.
        #[command(flatten)]
        whose: Whose,
        /// Those of the server.
        #[command(flatten)]
        keys: KeySettings,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// List the logins of an account
    Sessions {
        /// Whose.
        #[command(flatten)]
        whose: Whose,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show everything that is stored about a person: the account, logins, rooms, reactions, pins, and every message and what it said before
    Show {
        /// Whose.
        #[command(flatten)]
        whose: Whose,
        /// Those of the server.
        #[command(flatten)]
        keys: KeySettings,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// End the logins of an account, or one of them
    SignOut {
        /// Whose.
        #[command(flatten)]
        whose: Whose,
        /// End only this login; `sessions` shows the IDs
        #[arg(long, value_name = "ID")]
        session: Option<i64>,
    },
}

/// An account, and where it is.
#[derive(Debug, Args)]
pub struct Whose {
    /// The username of the account, in capitals or not
    #[arg(value_name = "USERNAME")]
    name: String,
    /// Where the accounts are.
    #[command(flatten)]
    storage: StorageSettings,
}

/// How a list is shown, and of what.
#[derive(Debug, Args)]
pub struct Show {
    /// One JSON array
    #[arg(long)]
    json: bool,
    /// Where the accounts are.
    #[command(flatten)]
    storage: StorageSettings,
}

/// Does it, and tells the exit code: 0 when it was done, 1 when the account does not allow it, 2 when what was given is not
/// right, 3 when there is no database.
#[must_use]
pub fn run(command: UsersCommand) -> i32 {
    let done = match command {
        UsersCommand::List { show } => list(&show),
        UsersCommand::Add {
            whose,
            keys,
            password,
        } => add(&whose, &keys, &password),
        UsersCommand::SetPassword { whose, password } => set_password(&whose, &password),
        UsersCommand::Disable(whose) => disable(&whose),
        UsersCommand::Enable(whose) => enable(&whose),
        UsersCommand::Delete { whose, keys, yes } => delete(&whose, &keys, yes),
        UsersCommand::Sessions { whose, json } => list_sessions(&whose, json),
        UsersCommand::Show { whose, keys, json } => show_person(&whose, &keys, json),
        UsersCommand::SignOut { whose, session } => sign_out(&whose, session),
    };
    match done {
        Ok(printed) => printing::exit_code(printed),
        Err(failure) => {
            printing::complain(&failure);
            failure.code()
        }
    }
}

/// It was done, and said or not.
type Done = Result<io::Result<()>, Failure>;

/// The account of this name.
fn find(conn: &mut AnyConnection, name: &str) -> Result<Result<User, Failure>, QueryError> {
    // Text that no name can hold is not shown to the database (PostgreSQL takes no NUL).
    let user = if names::is_username(name) {
        users::find_by_name(conn, name)?
    } else {
        None
    };
    Ok(user.ok_or_else(|| {
        let shown: String = name.escape_debug().take(60).collect();
        Failure::Refused(format!(
            "There is no user {shown}; `parlour users list` shows who there is."
        ))
    }))
}

/// Finds the account, does something to it, and notes that, in one transaction.
fn change<T>(
    accounts: &mut Accounts,
    name: &str,
    act: Act,
    work: impl FnOnce(&mut AnyConnection, &User, Timestamp) -> Result<Result<T, Failure>, QueryError>,
) -> Result<(User, T), Failure> {
    accounts.write(|conn| {
        let user = match find(conn, name)? {
            Ok(user) => user,
            Err(failure) => return Ok(Err(failure)),
        };
        let at = now();
        let done = match work(conn, &user, at)? {
            Ok(done) => done,
            Err(failure) => return Ok(Err(failure)),
        };
        changes::record(conn, act, user.id, Actor::Operator, at)?;
        Ok(Ok((user, done)))
    })
}

fn list(show: &Show) -> Done {
    let mut accounts = Accounts::open(&show.storage)?;
    let (found, counts) =
        accounts.read(|conn| Ok((changes::list(conn)?, sessions::count_by_user(conn)?)))?;
    Ok(show::accounts(&found, &counts, show.json))
}

fn add(whose: &Whose, keys: &KeySettings, options: &PasswordOptions) -> Done {
    let mut accounts = Accounts::open(&whose.storage)?;
    if let Some(fault) = names::fault(&whose.name) {
        return Err(Failure::Wrong(fault.into()));
    }
    let there = |rival| {
        let why = match rival {
            Rival::Same => "is taken, or was once",
            Rival::Alike => "looks like one that is taken",
        };
        Failure::Refused(format!(
            "The name {} {why}: choose another one.",
            whose.name
        ))
    };
    let deleted = accounts.find_keys(&whose.storage, keys)?;
    let deleted = DeletedNames::new(&deleted).of(&users::hash_of(&whose.name));
    // Asked before a password is typed for nothing.
    if let Some(rival) = accounts.read(|conn| users::find_rival(conn, &whose.name, &deleted))? {
        return Err(there(rival));
    }
    let password = options.ask(&whose.name)?;
    let hash = hash(&password, options)?;
    accounts.write(|conn| {
        let at = now();
        let new = NewUser {
            username: &whose.name,
            password_hash: &hash,
            created_at: at,
            deleted: &deleted,
        };
        let id = match users::insert(conn, &new)? {
            Ok(id) => id,
            Err(rival) => return Ok(Err(there(rival))),
        };
        changes::record(conn, Act::Added, id, Actor::Operator, at)?;
        Ok(Ok(()))
    })?;
    let said = format!("{}{} was added.", password.shown(), whose.name);
    Ok(show::say(&said))
}

fn set_password(whose: &Whose, options: &PasswordOptions) -> Done {
    let mut accounts = Accounts::open(&whose.storage)?;
    accounts.read(|conn| find(conn, &whose.name))??;
    let password = options.ask(&whose.name)?;
    let hash = hash(&password, options)?;
    let (user, ended) = change(
        &mut accounts,
        &whose.name,
        Act::Password,
        |conn, user, _| {
            changes::overwrite_what_is_deleted(conn)?;
            let ended = changes::set_password(conn, user, &hash, None)?;
            Ok(ended.ok_or_else(|| {
                Failure::Refused("The account was changed at the same moment; try again.".into())
            }))
        },
    )?;
    Ok(show::say(&format!(
        "{}{} has another password; {} ended.",
        password.shown(),
        user.username,
        show::logins(ended.len())
    )))
}

fn hash(password: &password::Password, options: &PasswordOptions) -> Result<String, Failure> {
    crypto::password::hash(password.text(), options.bcrypt_cost)
        .map_err(|error| Failure::Wrong(format!("The password cannot be hashed ({error}).")))
}

fn disable(whose: &Whose) -> Done {
    let mut accounts = Accounts::open(&whose.storage)?;
    let (user, ()) = change(
        &mut accounts,
        &whose.name,
        Act::Disabled,
        |conn, user, at| {
            if changes::disable(conn, user.id, at)? {
                return Ok(Ok(()));
            }
            Ok(Err(Failure::Refused(format!(
                "{} is disabled already.",
                user.username
            ))))
        },
    )?;
    Ok(show::say(&format!(
        "{} is disabled: nobody can log in to it, and its logins have ended. `parlour users enable {}` takes that back.",
        user.username, user.username
    )))
}

fn enable(whose: &Whose) -> Done {
    let mut accounts = Accounts::open(&whose.storage)?;
    let (user, ()) = change(&mut accounts, &whose.name, Act::Enabled, |conn, user, _| {
        if changes::enable(conn, user.id)? {
            return Ok(Ok(()));
        }
        Ok(Err(Failure::Refused(format!(
            "{} is not disabled.",
            user.username
        ))))
    })?;
    Ok(show::say(&format!(
        "{} is enabled: its password works again.",
        user.username
    )))
}

fn delete(whose: &Whose, keys: &KeySettings, yes: bool) -> Done {
    let mut accounts = Accounts::open(&whose.storage)?;
    let user = accounts.read(|conn| find(conn, &whose.name))??;
    let key = accounts.find_key_of_names(&whose.storage, keys)?;
    let kept = key.and_then(|key| {
        let names = DeletedNames::new(&key).of(&users::hash_of(&user.username));
        names.into_iter().next()
    });
    let Some(kept) = kept else {
        return Err(Failure::Refused(
            "The server has not used any ENCRYPTION_KEY of these yet, by which a deleted name is kept: start it once first.".into(),
        ));
    };
    if !yes && !password::confirm(&user.username)? {
        return Err(Failure::Refused(format!(
            "{} was not deleted.",
            user.username
        )));
    }
    // Before the transaction: SQLite decides it for the next one.
    accounts.read(changes::overwrite_what_is_deleted)?;
    let (user, ()) = change(
        &mut accounts,
        &whose.name,
        Act::Deleted,
        |conn, user, at| changes::delete(conn, user, &kept, at).map(Ok),
    )?;
    // Someone may be reading; then the server empties it later.
    let _later = accounts.read(changes::empty_log);
    Ok(show::say(&format!(
        "{} is deleted: the messages stay, shown under {}{}, and the name is not given again.",
        user.username,
        names::DELETED,
        user.id
    )))
}

fn list_sessions(whose: &Whose, json: bool) -> Done {
    let mut accounts = Accounts::open(&whose.storage)?;
    let user = accounts.read(|conn| find(conn, &whose.name))??;
    let found = accounts.read(|conn| sessions::list_of_user(conn, user.id))?;
    Ok(show::sessions(&user.username, &found, json))
}

fn show_person(whose: &Whose, keys: &KeySettings, json: bool) -> Done {
    let mut accounts = Accounts::open(&whose.storage)?;
    let user = accounts.read(|conn| find(conn, &whose.name))??;
    let vault = Vault::new(&accounts.find_keys(&whose.storage, keys)?);
    person::show(&mut accounts, &user, vault.as_ref(), json)
}

fn sign_out(whose: &Whose, only: Option<i64>) -> Done {
    let mut accounts = Accounts::open(&whose.storage)?;
    let (user, ended) = change(
        &mut accounts,
        &whose.name,
        Act::SignedOut,
        |conn, user, _| {
            let Some(id) = only else {
                return changes::end_sessions(conn, user.id, None).map(|ended| Ok(ended.len()));
            };
            let known = sessions::list_of_user(conn, user.id)?;
            if known.iter().any(|(known, ..)| *known == id) && sessions::delete(conn, id)? {
                return Ok(Ok(1));
            }
            Ok(Err(Failure::Refused(format!(
                "{} has no login {id}; `parlour users sessions {}` shows those that there are.",
                user.username, user.username
            ))))
        },
    )?;
    Ok(show::say(&format!(
        "{} is signed out: {} ended.",
        user.username,
        show::logins(ended)
    )))
}
