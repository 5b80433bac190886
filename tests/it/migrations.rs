//! The migrations run, are taken back and run again, on both databases, by the library that the Diesel CLI is made of.

use diesel::{Connection, PgConnection, SqliteConnection, backend::Backend as DieselBackend};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::support::{Backend, Database, root};

on_both![migrations_run_are_taken_back_and_run_again];

fn migrations_run_are_taken_back_and_run_again(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::make(backend, folder.path());
    match backend {
        Backend::Sqlite => {
            let path = database.file().to_string_lossy().into_owned();
            there_and_back(&mut SqliteConnection::establish(&path).expect("opens"));
        }
        Backend::Postgres => {
            there_and_back(&mut PgConnection::establish(&database.url).expect("connects"));
        }
    }
}

fn there_and_back<DB: DieselBackend>(conn: &mut impl MigrationHarness<DB>)
where
    FileBasedMigrations: diesel::migration::MigrationSource<DB>,
{
    let files =
        FileBasedMigrations::find_migrations_directory_in_path(root()).expect("migrations/");
    let ran = conn
        .run_pending_migrations(files.clone())
        .expect("run")
        .len();
    assert!(ran > 0);
    let reverted = conn
        .revert_all_migrations(files.clone())
        .expect("are taken back")
        .len();
    assert_eq!(ran, reverted);
    assert_eq!(
        conn.run_pending_migrations(files).expect("run again").len(),
        ran
    );
}
