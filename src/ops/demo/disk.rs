//! What lies in the database, seen as someone sees it who has taken the file: past the server.

use std::{fs, path::Path};

use super::{Broken, Result, demand};
use crate::{
    config::DatabaseUrl,
    db::{
        AnyConnection, conn, engine,
        messages::{self, Cursor, Message},
        rooms::{GENERAL_ID, seen},
    },
};

/// The room `general` as it lies on the disk.
pub struct Disk {
    conn: AnyConnection,
    room_id: i64,
}

impl Disk {
    /// Opens the file of the database, beside the server. `member` is anyone who is in the room.
    pub fn open(file: &Path, member: i64) -> Result<Self> {
        let mut conn = conn::open(&DatabaseUrl::Sqlite(file.to_owned())).map_err(|e| broken(&e))?;
        let room = seen::find(&mut conn, GENERAL_ID, member).map_err(|e| broken(&e))?;
        let room = room
            .ok_or_else(|| Broken::new("The room is not in the database."))?
            .room;
        Ok(Self {
            conn,
            room_id: room.id,
        })
    }

    /// Every row of the room.
    pub fn rows(&mut self) -> Result<Vec<Message>> {
        messages::list(
            &mut self.conn,
            self.room_id,
            Cursor::Before(i64::MAX),
            i64::MAX,
        )
        .map_err(|e| broken(&e))
    }

    /// The text of a message, sealed.
    pub fn sealed(&mut self, id: u64) -> Result<String> {
        self.rows()?
            .into_iter()
            .find(|row| u64::try_from(row.id) == Ok(id))
            .map(|row| row.content)
            .ok_or_else(|| Broken::new(format!("Message {id} is not in the database.")))
    }

    /// Puts another text in its place.
    pub fn replace(&mut self, id: u64, sealed: &str) -> Result<()> {
        let id = i64::try_from(id).map_err(|e| broken(&e))?;
        let replaced = messages::update_content(&mut self.conn, self.room_id, id, sealed);
        demand(
            replaced.map_err(|e| broken(&e))?,
            &format!("Message {id} is not in the database."),
        )
    }
}

/// Looks for a text in all that lies in the data folder, byte for byte. Tells whether it is there, and how many bytes that
/// were. The database is read by SQLite: no one else may open the file while a server has it open.
pub fn search(database: &Path, text: &str) -> Result<(bool, usize)> {
    let url = DatabaseUrl::Sqlite(database.to_owned());
    let mut conn = conn::look(&url).map_err(|e| broken(&e))?;
    let pages = engine::read_pages(&mut conn)
        .ok_or_else(|| Broken::new("The pages of the database cannot be read."))?;
    let mut places = vec![pages];
    let folder = database.parent().unwrap_or(database);
    for entry in fs::read_dir(folder).map_err(|e| broken(&e))? {
        let path = entry.map_err(|e| broken(&e))?.path();
        if !is_of(database, &path) {
            places.push(fs::read(&path).map_err(|e| broken(&e))?);
        }
    }
    let found = places.iter().any(|bytes| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    });
    Ok((found, places.iter().map(Vec::len).sum()))
}

/// Whether a file is the database or one of its companions, such as its log.
fn is_of(database: &Path, path: &Path) -> bool {
    let name = |path: &Path| path.file_name().map(std::ffi::OsStr::to_os_string);
    name(path)
        .zip(name(database))
        .is_some_and(|(file, database)| {
            file.as_encoded_bytes()
                .starts_with(database.as_encoded_bytes())
        })
}

fn broken(error: &dyn std::fmt::Display) -> Broken {
    Broken::new(format!(
        "The database could not be read or written ({error})."
    ))
}
