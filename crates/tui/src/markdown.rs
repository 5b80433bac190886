//! What people write, as Markdown: emphasis, code, links, quotes and lists as they look in a terminal. Nothing that it says is
//! left out but the titles of links and the languages of code, and an address is always shown beside a text that leads to it. In
//! an address that stands in a text as it is, nothing is a mark of emphasis.
//! All of it is made safe to show.

mod address;
mod code;

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use ratatui::{
    style::{Color, Modifier, Style, Stylize as _},
    text::{Line, Span},
};
use unicode_width::UnicodeWidthStr as _;

use self::address::Addresses;
use super::text::{visible, visible_lines};
use crate::protocol::mention::Mention;

/// A piece of a line in one style.
type Run = (String, Style);

/// A line before it is broken into rows.
#[derive(Debug, Default)]
struct Text {
    /// What stands before its first row, and before all others.
    first: String,
    rest: String,
    runs: Vec<Run>,
}

/// A text as rows of at most so many columns. `mentions`: where it mentions whom; `me`: the user.
#[must_use]
pub fn rows(content: &str, mentions: &[Mention], me: i64, width: usize) -> Vec<Line<'static>> {
    let parser = Parser::new_ext(content, Options::ENABLE_STRIKETHROUGH);
    // What is only defined would not be shown.
    let has_definitions = parser.reference_definitions().iter().next().is_some();
    let lines = if has_definitions {
        plain(content)
    } else {
        let events: Vec<_> = parser.into_offset_iter().collect();
        let mut builder = Builder {
            written: content,
            mentions: places(content, mentions, me),
            addresses: Addresses::of(content, &events),
            ..Builder::default()
        };
        for (event, range) in events {
            builder.take(event, range);
        }
        builder.end_line();
        builder.lines
    };
    let lines = if lines.iter().all(|line| line.runs.is_empty()) {
        plain(content)
    } else {
        lines
    };
    lines.iter().flat_map(|line| broken(line, width)).collect()
}

fn plain(content: &str) -> Vec<Text> {
    let lines = visible_lines(content).map(|line| Text {
        runs: vec![(line, Style::new())],
        ..Text::default()
    });
    lines.collect()
}

/// The places of mentions in bytes, and whether they are of the user.
fn places(content: &str, mentions: &[Mention], me: i64) -> Vec<(Range<usize>, bool)> {
    let byte = |point: u32| {
        let point = usize::try_from(point).unwrap_or(usize::MAX);
        let at = content.char_indices().nth(point);
        at.map_or(content.len(), |(at, _)| at)
    };
    let places = mentions.iter().map(|mention| {
        let is_mine = mention.room || mention.here || mention.user_id == Some(me);
        (byte(mention.from)..byte(mention.to), is_mine)
    });
    places.collect()
}

/// What the text stands in, at the moment.
#[derive(Debug)]
enum Inside {
    Quote,
    /// An item of a list; what its first line begins with, until it is written.
    Item(Option<String>),
}

#[derive(Debug, Default)]
struct Builder<'a> {
    written: &'a str,
    mentions: Vec<(Range<usize>, bool)>,
    addresses: Addresses,
    lines: Vec<Text>,
    /// The line that is being written.
    line: Option<Text>,
    inside: Vec<Inside>,
    lists: Vec<Option<u64>>,
    styles: Vec<Style>,
    /// Where links lead to, and where their texts begin.
    links: Vec<(String, String)>,
    /// The language of a block of code, empty where none is named.
    code: Option<String>,
    has_begun: bool,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            event if let Some(width) = self.addresses.mark(&event, self.written, &range) => {
                // It begins or ends within an address, where it is no emphasis.
                let at = if matches!(event, Event::Start(_)) {
                    range.start
                } else {
                    range.end - width
                };
                let mark = self.written.get(at..at + width);
                self.push(mark.unwrap_or_default(), self.style());
            }
            Event::Start(tag) => self.start(tag, range.start),
            Event::End(end) => self.end(end),
            Event::Text(_) if self.addresses.touch(&range) => {
                self.text(self.written.get(range.clone()).unwrap_or_default(), &range);
            }
            Event::Text(text) => self.text(&text, &range),
            Event::Code(code) => self.push(&code, code::span()),
            Event::Html(html) | Event::InlineHtml(html) => self.text(&html, &range),
            Event::SoftBreak | Event::HardBreak => self.end_line(),
            Event::Rule => {
                self.begin_block(range.start);
                self.push("────────", Style::new().dark_gray());
                self.end_line();
            }
            _ => self.push(self.written.get(range).unwrap_or_default(), self.style()),
        }
    }

    fn start(&mut self, tag: Tag<'_>, at: usize) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.begin_block(at),
            Tag::Heading { .. } => {
                self.begin_block(at);
                self.enter_style(|style| style.add_modifier(Modifier::BOLD));
            }
            Tag::CodeBlock(kind) => {
                self.begin_block(at);
                self.code = Some(match kind {
                    CodeBlockKind::Fenced(language) => visible(&language),
                    CodeBlockKind::Indented => String::new(),
                });
            }
            Tag::BlockQuote(_) => {
                self.begin_block(at);
                self.inside.push(Inside::Quote);
            }
            Tag::List(number) => {
                self.begin_block(at);
                self.lists.push(number);
            }
            Tag::Item => {
                self.begin_block(at);
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}. ");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => "• ".to_owned(),
                };
                self.inside.push(Inside::Item(Some(mark)));
            }
            Tag::Emphasis => self.enter_style(|style| style.add_modifier(Modifier::ITALIC)),
            Tag::Strong => self.enter_style(|style| style.add_modifier(Modifier::BOLD)),
            Tag::Strikethrough => {
                self.enter_style(|style| style.add_modifier(Modifier::CROSSED_OUT));
            }
            Tag::Link {
                link_type,
                dest_url,
                ..
            } => {
                let is_bare = matches!(link_type, LinkType::Autolink | LinkType::Email);
                let address = if is_bare { "" } else { &*dest_url };
                self.links.push((address.to_owned(), String::new()));
                self.enter_style(|style| style.add_modifier(Modifier::UNDERLINED));
            }
            Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.into_string(), String::new()));
                self.enter_style(|style| style);
            }
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.end_line(),
            TagEnd::Heading(_) => {
                self.styles.pop();
                self.end_line();
            }
            TagEnd::CodeBlock => {
                self.code = None;
                self.end_line();
            }
            TagEnd::BlockQuote(_) => {
                self.end_line();
                self.inside.pop();
            }
            TagEnd::Item => {
                // One with nothing in it is there as well.
                if matches!(self.inside.last(), Some(Inside::Item(Some(_)))) {
                    self.push(" ", Style::new());
                }
                self.end_line();
                self.inside.pop();
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => {
                self.styles.pop();
            }
            TagEnd::Link | TagEnd::Image => {
                self.styles.pop();
                if let Some((address, shown)) = self.links.pop()
                    && !address.is_empty()
                    && address != shown
                {
                    let style = Style::new().fg(Color::Blue);
                    self.push(&format!(" <{address}>"), style);
                }
            }
            _ => {}
        }
    }

    fn style(&self) -> Style {
        self.styles.last().copied().unwrap_or_default()
    }

    fn enter_style(&mut self, change: impl FnOnce(Style) -> Style) {
        let style = change(self.style());
        self.styles.push(style);
    }

    /// A block begins here. Blank lines before it are kept as one.
    fn begin_block(&mut self, at: usize) {
        self.end_line();
        let before = self.written.get(..at).unwrap_or_default();
        let kept = before.trim_end_matches(|c: char| c.is_whitespace() || c == '>');
        let gap = &before[kept.len()..];
        if std::mem::replace(&mut self.has_begun, true) && gap.matches('\n').count() > 1 {
            let is_apart = self.lines.last().is_none_or(|last| !last.runs.is_empty());
            if is_apart && !self.lines.is_empty() {
                let (first, rest) = (self.quotes(), String::new());
                self.lines.push(Text {
                    first,
                    rest,
                    runs: Vec::new(),
                });
            }
        }
    }

    fn quotes(&self) -> String {
        let quotes = self.inside.iter().map(|inside| match inside {
            Inside::Quote => "│ ",
            Inside::Item(_) => "  ",
        });
        quotes.collect()
    }

    fn text(&mut self, text: &str, range: &Range<usize>) {
        if let Some(language) = self.code.clone() {
            // The last line of a block ends with a break, after which nothing comes.
            let lines: Vec<_> = text.split_inclusive('\n').collect();
            for line in lines {
                let shown = line.trim_end_matches(['\n', '\r']);
                for (piece, style) in code::line(shown, &language) {
                    self.push(piece, style);
                }
                if line.ends_with('\n') {
                    self.line_or_new();
                    self.end_line();
                }
            }
            return;
        }
        let style = self.style();
        let is_as_written = self.written.get(range.clone()) == Some(text);
        let mut next = range.start;
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.end_line();
            }
            let at = next;
            next += line.len() + 1;
            let mut done = 0;
            let places = self.mentions.clone();
            for (place, is_mine) in places.iter().filter(|_| is_as_written) {
                let from = place.start.clamp(at, at + line.len()) - at;
                let to = place.end.clamp(at, at + line.len()) - at;
                if from >= to || from < done {
                    continue;
                }
                self.push(line.get(done..from).unwrap_or_default(), style);
                self.push(line.get(from..to).unwrap_or_default(), mention(*is_mine));
                done = to;
            }
            self.push(line.get(done..).unwrap_or_default(), style);
        }
    }

    fn line_or_new(&mut self) -> &mut Text {
        if self.line.is_none() {
            let rest = self.quotes();
            let mut first = String::new();
            for inside in &mut self.inside {
                match inside {
                    Inside::Quote => first.push_str("│ "),
                    Inside::Item(mark) => match mark.take() {
                        Some(mark) => first.push_str(&mark),
                        None => first.push_str("  "),
                    },
                }
            }
            let bar = if self.code.is_some() { "▏ " } else { "" };
            self.line = Some(Text {
                first: first + bar,
                rest: rest + bar,
                runs: Vec::new(),
            });
        }
        self.line.get_or_insert_default()
    }

    fn push(&mut self, text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        if let Some((_, shown)) = self.links.last_mut() {
            shown.push_str(text);
        }
        let line = self.line_or_new();
        match line.runs.last_mut() {
            Some((before, known)) if *known == style => before.push_str(text),
            _ => line.runs.push((text.to_owned(), style)),
        }
    }

    fn end_line(&mut self) {
        let Some(mut line) = self.line.take() else {
            return;
        };
        for (text, _) in &mut line.runs {
            *text = visible(text);
        }
        self.lines.push(line);
    }
}

/// How a mention looks: one of the user cannot be overlooked, with or without colours.
fn mention(is_mine: bool) -> Style {
    if is_mine {
        Style::new().fg(Color::Yellow).bold().reversed()
    } else {
        Style::new().fg(Color::Cyan).bold()
    }
}

/// Breaks a line into rows: between words where it can, within a word that is longer than a row.
fn broken(line: &Text, width: usize) -> Vec<Line<'static>> {
    let prefix = line.first.width().max(line.rest.width());
    let width = width.saturating_sub(prefix).max(2);
    let mut rows: Vec<Vec<(String, Style)>> = Vec::new();
    let mut row: Vec<(String, Style)> = Vec::new();
    let mut row_width = 0;
    // Behind the last space of the row: there it may be broken.
    let mut after_space = None;
    for (text, style) in &line.runs {
        let span = Span::raw(text.as_str());
        for grapheme in span.styled_graphemes(Style::default()) {
            let symbol = grapheme.symbol;
            if row_width + symbol.width() > width {
                let rest = match after_space.take() {
                    Some(at) if symbol != " " => row.split_off(at),
                    _ => Vec::new(),
                };
                while row.last().is_some_and(|(last, _)| last == " ") {
                    row.pop();
                }
                row_width = rest.iter().map(|(symbol, _)| symbol.width()).sum();
                rows.push(std::mem::replace(&mut row, rest));
                if symbol == " " {
                    continue;
                }
            }
            row.push((symbol.to_owned(), *style));
            row_width += symbol.width();
            if symbol == " " && row.iter().any(|(symbol, _)| symbol != " ") {
                after_space = Some(row.len());
            }
        }
    }
    rows.push(row);
    let rows = rows.into_iter().enumerate().map(|(n, row)| {
        let prefix = if n == 0 { &line.first } else { &line.rest };
        let mut spans = Vec::new();
        if !prefix.is_empty() {
            spans.push(Span::raw(prefix.clone()).dark_gray());
        }
        for (symbol, style) in row {
            match spans.last_mut() {
                Some(last) if last.style == style && is_text(prefix, last) => {
                    last.content.to_mut().push_str(&symbol);
                }
                _ => spans.push(Span::styled(symbol, style)),
            }
        }
        Line::from(spans)
    });
    rows.collect()
}

/// Whether a span is of the text, and not what stands before it.
fn is_text(prefix: &str, span: &Span<'_>) -> bool {
    prefix.is_empty() || span.content != prefix
}

#[cfg(test)]
mod tests;
