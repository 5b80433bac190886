//! Reads Rust source as far as the rules of the house need it: the paths that code names, without comments, strings
//! and test modules. It is no parser; what it cannot tell apart, its own tests show.

/// The source with comments, strings and characters blanked out, line for line as long as it was.
pub fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|&c| if c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// Where the comment, string or character that starts at `at` ends; `at` itself when none does.
fn skipped(chars: &[char], at: usize) -> usize {
    let next = |n: usize| chars.get(at + n).copied();
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next(1) == Some('/') => find(chars, at, |rest| rest[0] == '\n'),
        '/' if next(1) == Some('*') => block_comment(chars, at),
        '"' => string(chars, at),
        'b' if !after_word && next(1) == Some('"') => string(chars, at + 1),
        'r' if !after_word => raw_string(chars, at, at + 1),
        'b' if !after_word && next(1) == Some('r') => raw_string(chars, at, at + 2),
        '\'' if next(1) == Some('\\') => find(chars, at + 3, |rest| rest[0] == '\'') + 1,
        '\'' if next(2) == Some('\'') => at + 3,
        _ => at,
    }
    .min(chars.len())
}

fn find(chars: &[char], from: usize, is_end: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len())
        .find(|&at| is_end(&chars[at..]))
        .unwrap_or(chars.len())
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (1, at + 2);
    while at < chars.len() && depth > 0 {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn string(chars: &[char], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string(chars: &[char], start: usize, hashes: usize) -> usize {
    let open = find(chars, hashes, |rest| rest[0] != '#');
    if chars.get(open) != Some(&'"') {
        return start;
    }
    let fence = open - hashes;
    find(chars, open + 1, |rest| {
        rest[0] == '"' && rest[1..].iter().take_while(|&&c| c == '#').count() >= fence
    }) + 1
        + fence
}

/// The code without its `#[cfg(test)] mod … { … }`.
pub fn without_tests(code: &str) -> String {
    let Some(start) = code.find("#[cfg(test)]") else {
        return code.to_owned();
    };
    let (before, rest) = code.split_at(start);
    let body = rest["#[cfg(test)]".len()..].trim_start();
    let (Some(open), true) = (body.find(['{', ';']), body.starts_with("mod ")) else {
        return format!("{before} {}", without_tests(&rest[1..]));
    };
    let mut depth = 0_usize;
    let mut end = open + 1;
    for (at, c) in body.char_indices().skip_while(|&(at, _)| at < open) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            end = at + 1;
            break;
        }
    }
    format!("{before}{}", without_tests(&body[end..]))
}

/// Every path of two or more parts that the code names, and every path of its `use` items, written out:
/// `use a::{b::c, d as e}` names `a::b::c` and `a::d`.
pub fn paths(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            at = use_tree(&tokens, at + 1, &[], &mut found);
        } else if is_word(&tokens[at]) {
            let mut path = vec![tokens[at].clone()];
            while tokens.get(at + 1).is_some_and(|t| t == "::")
                && tokens.get(at + 2).is_some_and(|t| is_word(t))
            {
                path.push(tokens[at + 2].clone());
                at += 2;
            }
            if path.len() > 1 {
                found.push(path);
            }
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

fn use_tree(
    tokens: &[String],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "::" => at += 1,
            "as" => at += 2,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|t| t != "}") {
                    at = use_tree(tokens, at, &path, found);
                    if tokens.get(at).is_some_and(|t| t == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "," | "}" | ";" => break,
            word => {
                path.push(word.to_owned());
                at += 1;
            }
        }
    }
    found.push(path);
    at
}

/// The macros that the code calls, by their last name.
pub fn macros(code: &str) -> Vec<String> {
    tokens(code)
        .windows(3)
        .filter(|t| is_word(&t[0]) && t[1] == "!" && ["(", "[", "{"].contains(&t[2].as_str()))
        .map(|t| t[0].clone())
        .collect()
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}
