//! Where the head of a request ends, and whether anybody on the way could have read it differently: a line ends with
//! CRLF and nothing else, and no other control character stands in a head (RFC 9112, 2.2; RFC 9110, 5.5).

/// Longest head of a request, in bytes.
pub const MAX_HEAD: usize = 32 * 1024;
/// Empty lines that may stand before a request (RFC 9112, 2.2 asks to bear one).
const MOST_EMPTY_LINES: usize = 2;

/// What the bytes of a head are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// More must come.
    Partial,
    /// It has this length, empty lines before it included.
    Complete(usize),
    /// It is none.
    Broken,
    /// It is longer than [`MAX_HEAD`].
    TooLong,
}

/// Looks for the end of a head whose bytes come one after another; each of them is looked at once.
#[derive(Debug, Default)]
pub struct Scan {
    seen: usize,
    /// Bytes of the line under way, its end not counted.
    line: usize,
    /// The last byte was a carriage return.
    returned: bool,
    empty_lines: usize,
    begun: bool,
}

impl Scan {
    /// Whether anything of a request has come.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Looks at what has come since the last look; `bytes` are all that have come.
    pub fn look(&mut self, bytes: &[u8]) -> Found {
        for &byte in bytes.iter().skip(self.seen) {
            self.seen += 1;
            match (byte, self.returned) {
                (b'\n', true) => {
                    self.returned = false;
                    if self.line == 0 && self.begun {
                        return if self.seen > MAX_HEAD {
                            Found::TooLong
                        } else {
                            Found::Complete(self.seen)
                        };
                    }
                    if self.line == 0 {
                        self.empty_lines += 1;
                        if self.empty_lines > MOST_EMPTY_LINES {
                            return Found::Broken;
                        }
                    }
                    self.line = 0;
                }
                (_, true) => return Found::Broken,
                (b'\r', false) => self.returned = true,
                (b'\t', false) => self.line += 1,
                (byte, false) if byte.is_ascii_control() => return Found::Broken,
                (_, false) => {
                    self.begun = true;
                    self.line += 1;
                }
            }
        }
        if self.seen > MAX_HEAD {
            Found::TooLong
        } else {
            Found::Partial
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> Found {
        Scan::default().look(text.as_bytes())
    }

    #[test]
    fn a_head_ends_with_its_empty_line_however_it_comes() {
        let head = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        assert_eq!(look(&format!("{head}GET /b")), Found::Complete(head.len()));
        let mut scan = Scan::default();
        for end in 0..head.len() {
            assert_eq!(scan.look(&head.as_bytes()[..end]), Found::Partial, "{end}");
        }
        assert_eq!(scan.look(head.as_bytes()), Found::Complete(head.len()));
    }

    #[test]
    fn an_empty_line_or_two_may_stand_before_it() {
        assert_eq!(look("\r\nGET / HTTP/1.1\r\n\r\n"), Found::Complete(20));
        assert_eq!(look(&"\r\n".repeat(3)), Found::Broken);
    }

    #[test]
    fn what_others_could_read_differently_is_no_head() {
        for text in [
            "GET / HTTP/1.1\nhost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\n\n",
            "GET / HTTP/1.1\r\nx-a: b\rc: d\r\n\r\n",
            "GET / HTTP/1.1\r\nx-a: b\0\r\n\r\n",
            "\nGET / HTTP/1.1\r\n\r\n",
            "\u{16}\u{3}\u{1}",
        ] {
            assert_eq!(look(text), Found::Broken, "{text:?}");
        }
    }

    #[test]
    fn a_head_is_bounded() {
        let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(MAX_HEAD));
        assert_eq!(look(&long), Found::TooLong);
        assert_eq!(look(&format!("{long}\r\n")), Found::TooLong);
    }
}
