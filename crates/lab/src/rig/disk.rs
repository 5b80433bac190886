//! A small disk that can be filled: a tmpfs of our own, where mounting is allowed.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Result, Trouble};

/// A tmpfs, mounted as long as this value lives.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, since someone may still have a file open on it for a moment.
        let _unmounted = quiet(Command::new("umount").arg("-l").arg(&self.path));
    }
}

impl Disk {
    /// Mounts one of so many kilobytes.
    ///
    /// # Errors
    /// When this user may not mount.
    pub fn mount(path: &Path, kilobytes: u32) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| Trouble::io("make a folder", &error))?;
        let mounted = quiet(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k,mode=0777")])
                .arg("parlour-rig")
                .arg(path),
        );
        if mounted {
            Ok(Self {
                path: path.to_owned(),
            })
        } else {
            Err(Trouble(
                "A small disk (tmpfs) cannot be mounted here: that takes root.".into(),
            ))
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills it to the last block.
    ///
    /// # Errors
    /// When it cannot be filled.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.ballast())
            .map_err(|error| Trouble::io("make a file on the small disk", &error))?;
        for size in [65_536, 4_096, 1] {
            while ballast.write_all(&vec![0; size]).is_ok() {}
        }
        Ok(())
    }

    /// Frees it again.
    pub fn free(&self) {
        let _gone = fs::remove_file(self.ballast());
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
