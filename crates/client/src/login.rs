//! The login: its tokens, kept between runs in a file that only the user can read, and renewed in time.
//!
//! Several programs of one user share a login (the client, `send`, `tail`). A refresh token is good once, so they
//! take turns: whoever renews holds a lock on the file, and looks into it first.

use std::{
    cell::{Cell, RefCell},
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{
    api::{Api, Failure},
    protocol::views::Tokens,
};

/// A token that has less than this to live is renewed before it is used.
const MARGIN: Duration = Duration::from_mins(1);

/// What is kept.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    username: String,
    access_token: String,
    /// Seconds since 1970.
    expires_at: u64,
    refresh_token: String,
}

/// Where logins are kept: one file for each server and user.
#[derive(Debug, Clone)]
pub struct LoginFolder {
    dir: PathBuf,
    server: String,
}

impl LoginFolder {
    /// The logins at one server.
    #[must_use]
    pub fn new(state_dir: &Path, server: &str) -> Self {
        Self {
            dir: state_dir.join("logins"),
            server: slug(server),
        }
    }

    fn path(&self, username: &str) -> PathBuf {
        let name = slug(&username.to_lowercase());
        self.dir.join(format!("{}@{}.json", name, self.server))
    }

    /// The name whose login was used last.
    fn last_used(&self) -> Option<String> {
        let end = format!("@{}.json", self.server);
        let mut found: Vec<(SystemTime, PathBuf)> = fs::read_dir(&self.dir)
            .ok()?
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(&end))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        found.sort();
        let (_, path) = found.pop()?;
        Some(read(&path)?.username)
    }
}

/// Letters and digits stay; everything else becomes its code, so that no two names meet and none leaves the folder.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) && !out.is_empty() {
            out.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{:x}", u32::from(c));
        }
    }
    out
}

fn read(path: &Path) -> Option<Kept> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// The file gets its name when it is whole, and no one else can read it at any moment.
fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    // tempfile makes its files with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Waits for our turn with the files of this folder. It ends when what is returned is dropped.
async fn lock(folder: &LoginFolder) -> io::Result<File> {
    let path = folder.dir.join("lock");
    let task = tokio::task::spawn_blocking(move || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(file)
    });
    task.await.map_err(io::Error::other)?
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

/// A login.
#[derive(Clone)]
pub struct Account {
    api: Api,
    folder: Option<LoginFolder>,
    kept: Rc<Mutex<Option<Kept>>>,
    /// Whether the file was ever there: when it has gone since, another program has ended the login.
    was_written: Rc<Cell<bool>>,
    /// The name and password that the settings hold: good for a new login when the kept one has ended.
    given: Rc<RefCell<Option<(String, SecretString)>>>,
}

impl Account {
    /// No login yet. Without a folder it lives as long as the program. With a name and password `given`, a login that
    /// has ended is replaced by a new one.
    #[must_use]
    pub fn new(
        api: Api,
        folder: Option<LoginFolder>,
        given: Option<(String, SecretString)>,
    ) -> Self {
        Self {
            api,
            folder,
            kept: Rc::default(),
            was_written: Rc::default(),
            given: Rc::new(RefCell::new(given)),
        }
    }

    /// Goes on with the login that was kept for this user, or the one used last. Returns the user's name.
    pub async fn resume(&self, wanted: Option<&str>) -> Option<String> {
        let folder = self.folder.as_ref()?;
        let last_used = folder.last_used();
        let path = folder.path(wanted.or(last_used.as_deref())?);
        let kept = read(&path)?;
        let username = kept.username.clone();
        *self.kept.lock().await = Some(kept);
        self.was_written.set(true);
        Some(username)
    }

    /// Logs in with a password and keeps the login.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn log_in(&self, username: &str, password: &str) -> Result<(), Failure> {
        let tokens = self.api.log_in(username, password).await?;
        let mut held = self.kept.lock().await;
        self.keep(&mut held, username, tokens);
        Ok(())
    }

    /// A token to show to the server; a new one when the server has refused `refused`.
    ///
    /// # Errors
    /// [`Failure::LoginEnded`] when the user has to log in again.
    pub async fn bearer(&self, refused: Option<&str>) -> Result<String, Failure> {
        let mut held = self.kept.lock().await;
        let Some(kept) = held.clone() else {
            return self.log_in_again(&mut held).await;
        };
        let is_good = |kept: &Kept| {
            refused != Some(&kept.access_token) && kept.expires_at > now() + MARGIN.as_secs()
        };
        if is_good(&kept) {
            return Ok(kept.access_token);
        }
        let path = self
            .folder
            .as_ref()
            .map(|folder| folder.path(&kept.username));
        let _turn = match &self.folder {
            // Without a lock the worst is that we have to log in again.
            Some(folder) => lock(folder).await.ok(),
            None => None,
        };
        let kept = match &path {
            Some(path) if path.exists() => match read(path) {
                // Another program of this user has renewed it.
                Some(other) if is_good(&other) => {
                    *held = Some(other.clone());
                    return Ok(other.access_token);
                }
                Some(other) => other,
                None => kept,
            },
            Some(_) if self.was_written.get() => {
                *held = None;
                return self.log_in_again(&mut held).await;
            }
            _ => kept,
        };
        match self.api.refresh(&kept.refresh_token).await {
            Ok(tokens) => {
                let access_token = tokens.access_token.clone();
                self.keep(&mut held, &kept.username, tokens);
                Ok(access_token)
            }
            Err(Failure::Refused {
                status: 400..=403 | 422,
                ..
            }) => {
                *held = None;
                if let Some(path) = &path {
                    remove(path);
                }
                self.log_in_again(&mut held).await
            }
            Err(failure) => Err(failure),
        }
    }

    async fn log_in_again(&self, held: &mut Option<Kept>) -> Result<String, Failure> {
        let given = self.given.borrow().clone();
        let Some((username, password)) = given else {
            let sentence = "Your login has ended: log in again.";
            return Err(Failure::LoginEnded(sentence.into()));
        };
        match self.api.log_in(&username, password.expose_secret()).await {
            Ok(tokens) => {
                let access_token = tokens.access_token.clone();
                self.keep(held, &username, tokens);
                Ok(access_token)
            }
            Err(Failure::Refused {
                status: 400..=428,
                detail,
                ..
            }) => {
                // Trying the same password again would only look like guessing.
                self.given.borrow_mut().take();
                Err(Failure::LoginEnded(detail))
            }
            Err(failure) => Err(failure),
        }
    }

    /// A token newer than the one used so far.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn renew(&self) -> Result<(), Failure> {
        let used = self.kept.lock().await.clone().map(|kept| kept.access_token);
        self.bearer(used.as_deref()).await.map(drop)
    }

    /// Does a call with a token; once more with a new one, if the server refuses the first.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn with_bearer<T>(
        &self,
        call: impl AsyncFn(&Api, &str) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let bearer = self.bearer(None).await?;
        match call(&self.api, &bearer).await {
            Err(Failure::Refused { status: 401, .. }) => {
                let bearer = self.bearer(Some(&bearer)).await?;
                call(&self.api, &bearer).await
            }
            done => done,
        }
    }

    /// Ends the login: here in any case, and on the server if it can be told.
    ///
    /// # Errors
    /// When the server could not be told: there, the login goes on.
    pub async fn log_out(&self) -> Result<(), Failure> {
        self.given.borrow_mut().take();
        let bearer = self.bearer(None).await;
        let kept = self.kept.lock().await.take();
        if let (Some(folder), Some(kept)) = (&self.folder, kept) {
            remove(&folder.path(&kept.username));
        }
        let told = match bearer {
            Ok(bearer) => self.api.log_out(&bearer).await,
            Err(failure) => Err(failure),
        };
        match told {
            // It was over before.
            Err(Failure::LoginEnded(_) | Failure::Refused { status: 401, .. }) => Ok(()),
            told => told,
        }
    }

    fn keep(&self, held: &mut Option<Kept>, username: &str, tokens: Tokens) {
        let kept = Kept {
            username: username.to_owned(),
            access_token: tokens.access_token,
            expires_at: now() + tokens.expires_in,
            refresh_token: tokens.refresh_token,
        };
        if let Some(folder) = &self.folder {
            match write(&folder.path(username), &kept) {
                Ok(()) => self.was_written.set(true),
                Err(error) => {
                    log::warn!("the login cannot be kept ({error}): you will be asked again");
                }
            }
        }
        *held = Some(kept);
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        log::warn!("the kept login cannot be removed: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn kept(username: &str) -> Kept {
        Kept {
            username: username.into(),
            access_token: "a".into(),
            expires_at: now() + 1_800,
            refresh_token: "r".into(),
        }
    }

    #[test]
    fn a_kept_login_can_be_read_by_its_owner_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = LoginFolder::new(&dir.path().join("state"), "chat.example.org:8000/team");
        let path = folder.path("Alice");
        write(&path, &kept("Alice")).expect("writes");
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&folder.dir), 0o700);
        assert_eq!(path, folder.path("aLICE"), "names have no case");
        assert_eq!(folder.last_used().as_deref(), Some("Alice"));
    }

    #[test]
    fn logins_of_different_servers_and_users_never_meet() {
        let dir = Path::new("/state");
        let paths = [
            LoginFolder::new(dir, "a:1").path("bob"),
            LoginFolder::new(dir, "a:2").path("bob"),
            LoginFolder::new(dir, "a.b:1").path("bob"),
            LoginFolder::new(dir, "a/b:1").path("bob"),
            LoginFolder::new(dir, "../../etc").path("../bob"),
        ];
        for (n, path) in paths.iter().enumerate() {
            assert_eq!(path.parent(), Some(Path::new("/state/logins")));
            assert!(!paths[..n].contains(path));
        }
    }
}
