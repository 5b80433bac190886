//! Because of this test cargo builds the program along with the unit tests. All that is promised of it is tested in `it/`.

use std::process::Command;

#[test]
fn the_program_says_which_version_it_is() {
    let output = Command::new(env!("CARGO_BIN_EXE_parlour"))
        .arg("--version")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, concat!("parlour ", env!("CARGO_PKG_VERSION"), "\n"));
}
