//! Which program is the server: one that is named, or the one that is built beside this one.

use std::{
    env,
    ffi::OsString,
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
        return of_use(program).map(|()| program.clone());
    }
    let own = this_program()?;
    let program = own.with_file_name("parlour");
    if let Some(cargo) = env::var_os("CARGO") {
        build(Path::new(&cargo), &own)?;
    }
    of_use(&program)?;
    Ok(program)
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

/// Builds the server in the profile of this program.
fn build(cargo: &Path, own: &Path) -> Result<()> {
    let folder = own.parent().and_then(Path::file_name);
    let profile = match folder.and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let status = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--package",
            "parlour",
            "--bin",
            "parlour",
        ])
        .args(["--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| Trouble::io("run cargo", &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Trouble("The server does not build.".into()))
    }
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
