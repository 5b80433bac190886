//! Texts for those who want no Markdown: bots, terminals, logs. What is stored is the text as it was written; here it is shown
//! without its marks. Emphasis and fences go, code stays as it is, a link is its text and its address, and quotes and lists
//! look like themselves.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use super::mentions::links;
use crate::{
    error::{Error, Result},
    protocol::message::{Kind, Message},
};

/// So deep quotes and lists are shown in one another: each line of the innermost begins with marks of all.
const MOST_DEEP: usize = 16;

/// In what form texts are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// As they were written.
    #[default]
    Markdown,
    /// Without marks.
    Plain,
}

impl Form {
    /// What `?format=` asks for.
    ///
    /// # Errors
    /// 422 for another word.
    pub fn read(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("markdown") => Ok(Self::Markdown),
            Some("plain") => Ok(Self::Plain),
            Some(_) => {
                let detail = "`format` must be `markdown` or `plain`.";
                Err(Error::invalid_query("format", detail))
            }
        }
    }

    /// What a link to the next page says of it.
    #[must_use]
    pub fn kept(self) -> Option<(&'static str, &'static str)> {
        (self == Self::Plain).then_some(("format", "plain"))
    }

    /// A text in this form.
    #[must_use]
    pub fn text(self, content: String) -> String {
        match self {
            Self::Markdown => content,
            Self::Plain => Plain::of(&content).text,
        }
    }

    /// Brings what a person has written into this form, and the places of mentions with it. (What a room says of itself is no
    /// Markdown.)
    pub fn show(self, message: &mut Message) {
        if self == Self::Markdown || message.kind == Kind::System {
            return;
        }
        let plain = Plain::of(&message.content);
        message.mentions.retain_mut(|mention| {
            let place = plain.place_of(&message.content, mention.from, mention.to);
            (mention.from, mention.to) = place.unwrap_or_default();
            place.is_some()
        });
        message.content = plain.text;
    }
}

/// A text without marks.
#[derive(Debug, Default)]
struct Plain {
    text: String,
    /// What stands in it as it was written.
    pieces: Vec<Piece>,
    /// What the line stands in, from outside to inside.
    inside: Vec<Container>,
    /// How many more it stands in, which are not shown.
    deeper: usize,
    /// In how many of them the line before it stands, too.
    common: usize,
    /// Ends of lines that come before what is written next.
    ends: usize,
    /// Where the texts of links begin, and where they lead.
    links: Vec<(usize, String)>,
    lists: Vec<Option<u64>>,
    /// So long it may get: marks and addresses that are repeated on line after line are left out beyond that.
    most: usize,
    /// How much of what was written is still to come.
    left: usize,
}

/// In bytes.
#[derive(Debug, Clone, Copy)]
struct Piece {
    written_at: usize,
    shown_at: usize,
    length: usize,
}

/// A quote, or an item of a list.
#[derive(Debug)]
struct Container {
    /// What its first line begins with, as long as that has not been written.
    first: Option<String>,
    /// What all others begin with.
    others: &'static str,
}

impl Plain {
    fn of(written: &str) -> Self {
        let mut plain = Self {
            most: 2 * written.len() + 1_024,
            ..Self::default()
        };
        let addresses = links(written);
        for (event, range) in Parser::new(written).into_offset_iter() {
            let is_over = matches!(event, Event::End(_));
            let at = if is_over { range.end } else { range.start };
            plain.left = written.len().saturating_sub(at);
            if let Some(mark) = mark_in_address(&event, &range, &addresses) {
                plain.put(&written[mark.clone()], Some(mark.start));
                continue;
            }
            match event {
                Event::Start(tag) => plain.start(tag),
                Event::End(end) => plain.end(end),
                Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                    // What was escaped, or stands for another character, is shorter than what was written.
                    let is_as_written = text.len() == range.len();
                    plain.put(&text, is_as_written.then_some(range.start));
                }
                Event::Code(code) => plain.put(&code, None),
                Event::SoftBreak | Event::HardBreak => plain.ends += 1,
                Event::Rule => {
                    plain.ends = plain.ends.max(1);
                    plain.put("---", None);
                    plain.ends = 2;
                }
                _ => {}
            }
        }
        plain
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock => {
                self.ends = self.ends.max(1);
            }
            Tag::BlockQuote(_) => {
                self.ends = self.ends.max(1);
                self.enter(None, "> ");
            }
            Tag::List(number) => {
                self.ends = self.ends.max(1);
                self.lists.push(number);
            }
            Tag::Item => {
                self.ends = self.ends.max(1);
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}. ");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => "- ".to_owned(),
                };
                self.enter(Some(mark), "  ");
            }
            Tag::Link {
                link_type,
                dest_url,
                ..
            } => {
                self.begin();
                // The text of these is their address.
                let is_bare = matches!(link_type, LinkType::Autolink | LinkType::Email);
                let address = if is_bare {
                    String::new()
                } else {
                    dest_url.into_string()
                };
                self.links.push((self.text.len(), address));
            }
            Tag::Image { dest_url, .. } => {
                self.begin();
                self.links.push((self.text.len(), dest_url.into_string()));
            }
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                self.ends = self.ends.max(2);
            }
            TagEnd::BlockQuote(_) => {
                self.leave();
                self.ends = self.ends.max(2);
            }
            TagEnd::Item => {
                let is_empty = self.inside.last().is_some_and(|item| item.first.is_some());
                if is_empty {
                    self.begin();
                    self.text.truncate(self.text.trim_end().len());
                }
                self.leave();
                self.ends = self.ends.max(1);
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.ends = self.ends.max(if self.lists.is_empty() { 2 } else { 1 });
            }
            TagEnd::Link | TagEnd::Image => {
                let Some((start, address)) = self.links.pop() else {
                    return;
                };
                let shown = self.text.get(start..).unwrap_or_default().trim();
                if address.is_empty() || address == shown {
                    return;
                }
                let address = if shown.is_empty() {
                    address
                } else {
                    format!(" ({address})")
                };
                if self.has_space_for(&address) {
                    self.put(&address, None);
                }
            }
            _ => {}
        }
    }

    fn enter(&mut self, first: Option<String>, others: &'static str) {
        if self.inside.len() < MOST_DEEP {
            self.inside.push(Container { first, others });
        } else {
            self.deeper += 1;
        }
    }

    fn leave(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else {
            self.inside.pop();
            self.common = self.common.min(self.inside.len());
        }
    }

    fn has_space_for(&self, more: &str) -> bool {
        self.text.len() + more.len() + self.left <= self.most
    }

    /// Writes a text, which was written so there.
    fn put(&mut self, text: &str, written_at: Option<usize>) {
        let mut offset = 0;
        for (number, line) in text.split('\n').enumerate() {
            self.ends += usize::from(number > 0);
            let shown = line.trim_end_matches('\r');
            if !shown.is_empty() {
                self.begin();
                if let Some(at) = written_at {
                    self.pieces.push(Piece {
                        written_at: at + offset,
                        shown_at: self.text.len(),
                        length: shown.len(),
                    });
                }
                self.text.push_str(shown);
            }
            offset += line.len() + 1;
        }
    }

    /// Ends the lines that are to be ended, and begins the next.
    fn begin(&mut self) {
        let is_first = self.text.is_empty();
        if self.ends == 0 && !is_first {
            return;
        }
        if !is_first {
            for _ in 1..std::mem::take(&mut self.ends) {
                self.text.push('\n');
                let common = self.inside.iter().take(self.common);
                let marks: String = common.map(|one| one.others).collect();
                let marks = marks.trim_end();
                if self.has_space_for(marks) {
                    self.text.push_str(marks);
                }
            }
            self.text.push('\n');
        }
        self.ends = 0;
        self.common = self.inside.len();
        let marks = self.inside.iter_mut();
        let marks: String = marks
            .map(|one| one.first.take().unwrap_or_else(|| one.others.to_owned()))
            .collect();
        if self.has_space_for(&marks) {
            self.text.push_str(&marks);
        }
    }

    /// Where in the text stands what was written there, in code points; `None` when it is not shown as it was written.
    fn place_of(&self, written: &str, from: u32, to: u32) -> Option<(u32, u32)> {
        let (start, length) = (usize::try_from(from).ok()?, to.checked_sub(from)?);
        let written_at = written.char_indices().nth(start)?.0;
        let after = self
            .pieces
            .partition_point(|piece| piece.written_at + piece.length <= written_at);
        let piece = self.pieces.get(after)?;
        let into = written_at.checked_sub(piece.written_at)?;
        let shown_at = piece.shown_at + into;
        let length = usize::try_from(length).ok()?;
        let is_same = written[written_at..]
            .chars()
            .take(length)
            .eq(self.text[shown_at..].chars().take(length));
        let shown = u32::try_from(self.text[..shown_at].chars().count()).ok()?;
        is_same.then_some((shown, shown + (to - from)))
    }
}

/// What would be a mark of emphasis, but is a part of an address that is written as it is: `https://example.org/_a_`.
fn mark_in_address(
    event: &Event<'_>,
    range: &Range<usize>,
    addresses: &[Range<usize>],
) -> Option<Range<usize>> {
    let length = match event {
        Event::Start(Tag::Emphasis) | Event::End(TagEnd::Emphasis) => 1,
        Event::Start(Tag::Strong) | Event::End(TagEnd::Strong) => 2,
        _ => return None,
    };
    let next = addresses.partition_point(|address| address.end <= range.start);
    // Where it begins before the address, it is emphasis around that.
    addresses
        .get(next)
        .filter(|address| address.start <= range.start)?;
    Some(match event {
        Event::Start(_) => range.start..range.start + length,
        _ => range.end - length..range.end,
    })
}

#[cfg(test)]
mod tests;
