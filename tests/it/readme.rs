//! The examples of README.md do what they say: its blocks marked `tested` run, in order, against a real server, and
//! print what their comments `# => …` announce (`…` stands for anything).

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::{Backend, Server, root};

/// The address that stands in the examples.
const ADDRESS: &str = "127.0.0.1:8000";

pub struct Block {
    pub language: String,
    pub text: String,
}

pub fn tested_blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in markdown.lines() {
        if let Some(info) = line.strip_prefix("```") {
            inside = info.ends_with(" tested");
            if inside {
                blocks.push(Block {
                    language: info.trim_end_matches(" tested").to_owned(),
                    text: String::new(),
                });
            }
        } else if let (true, Some(block)) = (inside, blocks.last_mut()) {
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    blocks
}

/// What the comments of a block announce, piece by piece.
pub fn announced(block: &str) -> Vec<&str> {
    block
        .lines()
        .filter_map(|line| line.split_once("# => "))
        .flat_map(|(_, words)| words.split('…'))
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// The first announced piece that does not follow in the output.
pub fn missing<'a>(announced: &[&'a str], mut output: &str) -> Option<&'a str> {
    for piece in announced {
        match output.find(piece) {
            Some(at) => output = &output[at + piece.len()..],
            None => return Some(piece),
        }
    }
    None
}

/// A program that `scripts/test` installs. Without it the example cannot run here; in CI nothing is left out.
fn tool(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{variable} is not set");
        eprintln!("skipped: {variable} is not set; scripts/test sets it");
    }
    found
}

pub fn run(program: &Path, argument: &str, script: &str, folder: &Path) -> String {
    let mut child = Command::new(program)
        .args([argument, script])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} does not run: {error}", program.display()));
    // No one types, but the input stays open, as in a terminal: wscat leaves when it ends.
    let terminal = child.stdin.take();
    let output = child.wait_with_output().expect("it ends");
    drop(terminal);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{script}\nprinted\n{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[test]
fn the_examples_of_the_readme_do_what_they_say() {
    let (Some(wscat), Some(python)) = (tool("PARLOUR_TEST_WSCAT"), tool("PARLOUR_TEST_PYTHON"))
    else {
        return;
    };
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "curl is missing");
        eprintln!("skipped: curl is missing");
        return;
    }
    let readme = root().join("README.md");
    let blocks = tested_blocks(&fs::read_to_string(readme).expect("a README"));
    let server = Server::start(Backend::Sqlite);
    let here = |text: &str| text.replace(ADDRESS, &server.addr.to_string());

    // The shell's blocks are one session: later ones use what earlier ones set.
    let wscat_folder = wscat.parent().expect("a folder").display();
    let mut shell = format!("set -euo pipefail\nPATH={wscat_folder}:$PATH\n");
    let mut shell_announced = Vec::new();
    for block in blocks.iter().filter(|block| block.language == "sh") {
        shell.push_str(&here(&block.text));
        shell_announced.extend(announced(&block.text));
    }
    assert!(
        shell_announced.len() > 5,
        "the examples are not where they were"
    );
    let output = run(Path::new("bash"), "-c", &shell, server.folder());
    assert_eq!(missing(&shell_announced, &output), None, "{output}");

    for block in blocks.iter().filter(|block| block.language == "python") {
        let output = run(&python, "-c", &here(&block.text), server.folder());
        assert_eq!(missing(&announced(&block.text), &output), None, "{output}");
    }
    let known = ["sh", "python"];
    let all_run = blocks
        .iter()
        .all(|block| known.contains(&block.language.as_str()));
    assert!(
        all_run,
        "a block is marked tested in a language that is not run"
    );
}

/// An answer ends without a line break: the shell would write its prompt behind it.
#[test]
fn what_curl_prints_ends_its_line() {
    for document in ["README.md", "docs/API.md"] {
        let path = root().join(document);
        let text = fs::read_to_string(path).expect("a document");
        let mut shown = text.lines().filter(|line| line.starts_with("curl "));
        assert!(shown.clone().count() > 2, "{document}");
        let bare = shown.find(|line| !line.contains(" -w '\\n' "));
        assert_eq!(bare, None, "{document}");
    }
}

#[test]
fn an_example_that_prints_something_else_is_seen() {
    let block = "curl …\n# => {\"id\":…,\"username\":\"alice\"…}\n";
    let pieces = announced(block);
    assert_eq!(
        missing(&pieces, r#"{"id":1,"username":"alice","x":2}"#),
        None
    );
    assert!(missing(&pieces, r#"{"id":1,"username":"bob"}"#).is_some());
    assert!(missing(&pieces, "").is_some());
    let blocks = tested_blocks("a\n```sh\nno\n```\nb\n```sh tested\nyes\n```\nc\n");
    assert_eq!(blocks.len(), 1);
    assert_eq!(
        (blocks[0].language.as_str(), blocks[0].text.as_str()),
        ("sh", "yes\n")
    );
}
