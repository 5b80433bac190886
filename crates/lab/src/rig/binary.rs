//! Which program is the server: one that is named, or the one that is built beside this one.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;

use crate::{Result, Trouble};

/// Which server is tried or measured.
#[derive(Debug, Clone, Args)]
pub struct ServerOption {
    /// The server's program, for example another build of it [default: the one that is built beside this one; where
    /// cargo runs this one, it builds that one first]
    #[arg(
        long,
        global = true,
        env = "PARLOUR_LAB_SERVER",
        value_name = "PROGRAM"
    )]
    pub server: Option<PathBuf>,
}

/// Finds it. Where cargo has started this program, the server is built first, so that it is never an old one.
///
/// # Errors
/// When it is not there, or cannot be built.
pub fn find(option: &ServerOption) -> Result<PathBuf> {
    if let Some(program) = &option.server {
        of_use(program)?;
        // It is started in folders of its own, from where a relative path leads elsewhere.
        return std::path::absolute(program)
            .map_err(|error| Trouble::io(&format!("find {}", program.display()), &error));
    }
    let own = this_program()?;
    let folder = folder_of_profile(&own)?;
    if let Some(cargo) = env::var_os("CARGO") {
        build(&cargo, folder, &["--package", "parlour"])?;
    }
    let program = folder.join("parlour");
    of_use(&program)?;
    Ok(program)
}

/// The server for a test that cargo has built: `PARLOUR_TEST_BINARY`, or the one of this tree, which is built first, so that
/// it is never an old one. Of the processes that nextest starts in one run, the first builds it.
///
/// # Errors
/// When it cannot be built.
pub fn under_test(features: &[&str]) -> Result<PathBuf> {
    if let Some(program) = env::var_os("PARLOUR_TEST_BINARY") {
        return Ok(program.into());
    }
    let own = this_program()?;
    let folder = folder_of_profile(&own)?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let features = features.join(",");
    // With the whole workspace, what the server stands on has the features with which cargo built the tests: it is there.
    let scope = ["--workspace", "--features", &features];
    once_in_a_run(folder, || build(&cargo, folder, &scope))?;
    Ok(folder.join("parlour"))
}

/// Does it in one process of all those that nextest starts for one run, while the others wait for it.
fn once_in_a_run(folder: &Path, build: impl FnOnce() -> Result<()>) -> Result<()> {
    let Some(run) = env::var("NEXTEST_RUN_ID").ok() else {
        return build();
    };
    let path = folder.join(".parlour-under-test");
    let trouble = |error| Trouble::io(&format!("use {}", path.display()), &error);
    let mut note = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(trouble)?;
    note.lock().map_err(trouble)?;
    let mut noted = String::new();
    note.read_to_string(&mut noted).map_err(trouble)?;
    match noted.strip_prefix(&run) {
        Some(" built") => return Ok(()),
        Some(_) => return Err(does_not_build()),
        None => {}
    }
    let ended = build();
    let outcome = if ended.is_ok() { "built" } else { "failed" };
    note.set_len(0).map_err(trouble)?;
    note.rewind().map_err(trouble)?;
    write!(note, "{run} {outcome}").map_err(trouble)?;
    ended
}

/// Where cargo lays the programs of this one's profile: tests are a folder deeper.
fn folder_of_profile(own: &Path) -> Result<&Path> {
    let folder = own.parent();
    let folder = match folder.and_then(Path::file_name) {
        Some(name) if name == "deps" => folder.and_then(Path::parent),
        _ => folder,
    };
    folder.ok_or_else(|| Trouble("This program lies in no folder.".into()))
}

/// Where this program lies.
///
/// # Errors
/// When the system does not say.
pub fn this_program() -> Result<PathBuf> {
    env::current_exe().map_err(|error| {
        Trouble(format!(
            "This program cannot find its own file ({error}): is /proc mounted?"
        ))
    })
}

/// The folders in which programs are looked for.
#[must_use]
pub fn program_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect()
}

/// What every program that we start is given of what is set around us: where programs lie, and where a build that counts
/// what its tests reach leaves its numbers.
#[must_use]
pub fn inherited() -> Vec<(&'static str, OsString)> {
    ["PATH", "LLVM_PROFILE_FILE"]
        .into_iter()
        .filter_map(|name| Some((name, env::var_os(name)?)))
        .collect()
}

/// Builds the server in the profile of this folder.
fn build(cargo: &OsStr, folder: &Path, scope: &[&str]) -> Result<()> {
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--bin", "parlour"])
        .args(scope)
        .args(["--profile", profile])
        .arg("--target-dir")
        .arg(folder.parent().unwrap_or(folder))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| {
            Trouble(format!(
                "The server cannot be built, because cargo cannot be run ({error}): name one with --server, or for tests in PARLOUR_TEST_BINARY."
            ))
        })?;
    if status.success() {
        Ok(())
    } else {
        Err(does_not_build())
    }
}

fn does_not_build() -> Trouble {
    Trouble("The server does not build: `cargo build` says why.".into())
}

/// Whether this is a server at all; of which version is for whoever names it to know.
fn of_use(program: &Path) -> Result<()> {
    let advice = "build it with `cargo build --release`, or name another one with --server";
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Trouble(format!(
                "There is no server to start: {} cannot be run ({error}); {advice}.",
                program.display()
            ))
        })?;
    if String::from_utf8_lossy(&output.stdout).starts_with("parlour ") {
        Ok(())
    } else {
        Err(Trouble(format!(
            "{} is not Parlour's server: {advice}.",
            program.display()
        )))
    }
}
