//! Reads Rust source as far as the rules of the house need it: the paths that code names and the macros that it calls,
//! without test modules.

use std::ops::RangeInclusive;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, File, ItemMod, ItemUse, Macro, Meta, Path, UseTree,
    spanned::Spanned as _,
    visit::{self, Visit},
};

/// What a file names outside of its test modules.
#[derive(Default)]
pub struct Named {
    /// Paths, from their first segment on.
    pub paths: Vec<Vec<String>>,
    /// Macros that are called, by their last name.
    pub macros: Vec<String>,
    /// The lines of test modules.
    tests: Vec<RangeInclusive<usize>>,
}

impl Named {
    /// What is named in this source.
    pub fn read(source: &str) -> syn::Result<Self> {
        let file: File = syn::parse_file(source)?;
        let mut named = Self::default();
        named.visit_file(&file);
        Ok(named)
    }

    /// How many of the source's lines are no test's.
    pub fn lines(&self, source: &str) -> usize {
        let is_test = |line| self.tests.iter().any(|lines| lines.contains(&line));
        (1..=source.lines().count())
            .filter(|line| !is_test(*line))
            .count()
    }

    /// The arguments of a macro or an attribute: what looks like a path is one.
    fn tokens(&mut self, tokens: TokenStream) {
        let known = self.paths.len();
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 && !path.is_empty() {
                        self.paths.push(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Punct(punct) if punct.as_char() == '!' && path.len() == 1 => {
                    self.macros.append(&mut path);
                }
                TokenTree::Group(group) => {
                    self.paths.push(std::mem::take(&mut path));
                    self.tokens(group.stream());
                }
                _ => {
                    self.paths.push(std::mem::take(&mut path));
                    colons = 0;
                }
            }
        }
        self.paths.push(path);
        // A single name is one of this place.
        let found = self.paths.split_off(known);
        self.paths
            .extend(found.into_iter().filter(|path| path.len() > 1));
    }

    fn tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            UseTree::Name(name) => self.paths.push(with(&name.ident)),
            UseTree::Rename(rename) => self.paths.push(with(&rename.ident)),
            UseTree::Glob(_) => self.paths.push(before.to_vec()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, before);
                }
            }
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

impl<'a> Visit<'a> for Named {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if is_for_tests(&item.attrs) {
            let span = item.span();
            self.tests.push(span.start().line..=span.end().line);
        } else {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'a Path) {
        // A single name is one of this place.
        if path.segments.len() > 1 {
            let names = path.segments.iter();
            self.paths
                .push(names.map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'a Macro) {
        if let Some(last) = called.path.segments.last() {
            self.macros.push(last.ident.to_string());
        }
        self.visit_path(&called.path);
        self.tokens(called.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'a Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }
}
