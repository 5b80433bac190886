//! Packs the web client with gzip, as it stands in `web/dist`: the server sends it so, and holds it so.

use std::{
    env, fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=web/dist");
    let out = env::var_os("OUT_DIR").map(PathBuf::from);
    let out = out.ok_or_else(|| io::Error::other("cargo names no OUT_DIR"))?;
    let packed = out.join("web");
    if packed.exists() {
        fs::remove_dir_all(&packed)?;
    }
    pack(Path::new("web/dist"), &packed)
}

/// Packs every file below a folder, under the same name.
fn pack(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            pack(&source, &target)?;
            continue;
        }
        // Without a name and a time, so that the same file is packed to the same bytes.
        let mut packer = GzBuilder::new().write(fs::File::create(target)?, Compression::best());
        packer.write_all(&fs::read(&source)?)?;
        packer.finish()?;
    }
    Ok(())
}
