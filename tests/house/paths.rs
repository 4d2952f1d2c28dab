//! Reads a source into the paths that it names: `use` trees flattened, `super` and `self` resolved, macros looked into.
//!
//! Knows Rust's syntax. Must not know any rule.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Every Rust source below a directory, in order.
pub fn below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(dir).expect("it can be listed").flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(below(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether a word stands anywhere in a source, outside comments and text.
pub fn says(text: &str, word: &str) -> bool {
    fn any(stream: TokenStream, word: &str) -> bool {
        stream.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == word,
            TokenTree::Group(group) => any(group.stream(), word),
            _ => false,
        })
    }
    any(text.parse().expect("a source is made of words"), word)
}

/// A file under `src` and all that it names.
pub struct Source {
    /// Its path below `src`, with `/`.
    pub place: String,
    /// What is in it.
    pub text: String,
    /// Every path it names, with its line; `crate::` ones begin with `crate`.
    pub names: Vec<Name>,
    /// Modules declared under `#[cfg(test)]` whose text is in another file.
    tests: Vec<Vec<String>>,
}

/// One path.
pub struct Name {
    /// Its parts.
    pub parts: Vec<String>,
    /// Where it stands, from 1.
    pub line: usize,
}

impl Source {
    /// Reads a file that stands at `place` below `src`.
    pub fn parse(place: &str, text: &str) -> Source {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{place} is not Rust: {error}"));
        let folder = place.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let mut reader = Reader { module: module_of(place), folder, names: Vec::new(), tests: Vec::new() };
        reader.visit_file(&file);
        Source { place: place.to_owned(), text: text.to_owned(), names: reader.names, tests: reader.tests }
    }
}

/// Forgets what tests name that have a file of their own.
pub fn drop_tests(sources: &mut [Source]) {
    let tests: Vec<Vec<String>> = sources.iter().flat_map(|source| source.tests.clone()).collect();
    for source in sources {
        let module = module_of(&source.place);
        if tests.iter().any(|test| module.starts_with(test)) {
            source.names.clear();
        }
    }
}

/// `engine/core/mod.rs` is `engine::core`.
fn module_of(place: &str) -> Vec<String> {
    let mut module: Vec<String> = place.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

struct Reader {
    module: Vec<String>,
    folder: String,
    names: Vec<Name>,
    tests: Vec<Vec<String>>,
}

impl Reader {
    fn name(&mut self, parts: &[String], line: usize) {
        let parts = self.resolve(parts);
        if parts.len() > 1 {
            self.names.push(Name { parts, line });
        }
    }

    /// `super::super::x` seen from here, from the root of the crate.
    fn resolve(&self, parts: &[String]) -> Vec<String> {
        let ups = parts.iter().take_while(|part| *part == "super").count();
        let from_here = parts.first().is_some_and(|part| part == "self") || ups > 0;
        if !from_here {
            return parts.to_vec();
        }
        let mut whole = vec!["crate".to_owned()];
        whole.extend_from_slice(&self.module[..self.module.len().saturating_sub(ups)]);
        whole.extend(parts.iter().skip_while(|part| *part == "super" || *part == "self").cloned());
        whole
    }

    fn use_tree(&mut self, before: &mut Vec<String>, tree: &syn::UseTree) {
        let line = tree.span().start().line;
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.use_tree(before, &path.tree);
                before.pop();
            }
            syn::UseTree::Name(name) => self.use_name(before, &name.ident.to_string(), line),
            syn::UseTree::Rename(name) => self.use_name(before, &name.ident.to_string(), line),
            syn::UseTree::Glob(_) => self.use_name(before, "*", line),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(before, tree)),
        }
    }

    fn use_name(&mut self, before: &[String], last: &str, line: usize) {
        let mut parts = before.to_vec();
        if last != "self" || parts.is_empty() {
            parts.push(last.to_owned());
        }
        // `use tokio;` alone names the crate as well.
        if parts.len() == 1 {
            parts.push("self".to_owned());
        }
        self.name(&parts, line);
    }

    /// `a::b::c` among the words of a macro.
    fn words(&mut self, stream: TokenStream) {
        let mut parts: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in stream {
            match token {
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.name(&std::mem::take(&mut parts), line);
                        line = word.span().start().line;
                    }
                    parts.push(word.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += if mark.spacing() == Spacing::Joint || colons == 1 { 1 } else { 3 };
                }
                TokenTree::Group(group) => {
                    self.name(&std::mem::take(&mut parts), line);
                    colons = 0;
                    if group.delimiter() != Delimiter::None || !group.stream().is_empty() {
                        self.words(group.stream());
                    }
                }
                _ => {
                    self.name(&std::mem::take(&mut parts), line);
                    colons = 0;
                }
            }
        }
        self.name(&parts, line);
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

/// `#[path = "file.rs"]`.
fn elsewhere(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("path")).find_map(|attribute| {
        match &attribute.meta.require_name_value().ok()?.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(file), .. }) => Some(file.value()),
            _ => None,
        }
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let name = module.ident.to_string();
        if is_test(&module.attrs) {
            if module.content.is_none() {
                let inside = [self.module.clone(), vec![name]].concat();
                self.tests
                    .push(elsewhere(&module.attrs).map_or(inside, |file| module_of(&format!("{}{file}", self.folder))));
            }
            return;
        }
        self.module.push(name);
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.use_tree(&mut Vec::new(), &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.name(&parts, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        self.words(call.tokens.clone());
    }

    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        // `&mut App` is told apart from `&App` as a name of its own.
        if reference.mutability.is_some()
            && let syn::Type::Path(path) = &*reference.elem
            && let Some(last) = path.path.segments.last()
        {
            self.names.push(Name {
                parts: vec!["&mut".to_owned(), last.ident.to_string()],
                line: reference.span().start().line,
            });
        }
        visit::visit_type_reference(self, reference);
    }
}
