//! Which module of a crate uses which, and what else its code mentions.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs, mem,
    path::Path,
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Item, ItemUse, LitStr, Macro, Meta, UseTree, Visibility,
    visit::{self, Visit},
};

/// A path below the crate's root: a module, or something in it.
type Segments = Vec<String>;

/// Names that are passed on from file to file at most so often.
const PASSED_ON: usize = 8;

/// What one module says.
#[derive(Default)]
struct Module {
    uses: BTreeSet<Segments>,
    /// What it only passes on, by the name that it has here: `pub use`.
    passes_on: BTreeMap<String, Segments>,
    /// Every path, such as `crate::store::pairings` or `tonic::Status`, and [`SQL`].
    mentions: BTreeSet<String>,
}

/// How a query, by macro or by text, is mentioned.
pub const SQL: &str = "SQL";

/// Beginnings of statements; none of them stands in a sentence of ours.
const STATEMENTS: [&str; 4] = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "];

/// The modules of a crate, without tests.
pub struct Imports(BTreeMap<Segments, Module>);

impl Imports {
    pub fn of(src: &Path) -> Self {
        let mut modules = Self(BTreeMap::new());
        let root = if src.join("lib.rs").exists() { "lib.rs" } else { "main.rs" };
        modules.read(&src.join(root), src, Vec::new());
        modules
    }

    fn read(&mut self, file: &Path, folder: &Path, name: Segments) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.add(&parsed.items, folder, name);
    }

    fn add(&mut self, items: &[Item], folder: &Path, name: Segments) {
        let mut reader = Reader { at: name.clone(), module: Module::default() };
        for item in items {
            let Item::Mod(inner) = item else {
                if !is_test(attributes(item)) {
                    reader.visit_item(item);
                }
                continue;
            };
            if is_test(&inner.attrs) {
                continue;
            }
            let child = [name.as_slice(), &[inner.ident.to_string()]].concat();
            let below = folder.join(inner.ident.to_string());
            match &inner.content {
                Some((_, items)) => self.add(items, &below, child),
                None if below.join("mod.rs").exists() => self.read(&below.join("mod.rs"), &below, child),
                None => self.read(&below.with_extension("rs"), &below, child),
            }
        }
        self.0.insert(name, reader.module);
    }

    /// The module in which something is defined, whoever passes it on.
    fn defining(&self, path: &[String], passed_on: usize) -> Option<&Segments> {
        let length = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
        let (name, module) = self.0.get_key_value(&path[..length])?;
        let target = path.get(length).and_then(|next| module.passes_on.get(next));
        match target {
            Some(target) if passed_on < PASSED_ON => {
                self.defining(&[target, &path[length + 1..]].concat(), passed_on + 1)
            }
            _ => Some(name),
        }
    }

    /// What the modules in one of the crate's own folders mention, with the module.
    pub fn mentions(&self, room: &str) -> impl Iterator<Item = (String, &str)> {
        let modules = self.0.iter().filter(move |(name, _)| name.first().is_some_and(|first| first == room));
        modules
            .flat_map(|(name, module)| module.mentions.iter().map(move |mention| (name.join("::"), mention.as_str())))
    }

    /// The shortest way from each module back to itself, through other modules that one uses after another.
    pub fn circles(&self) -> BTreeSet<String> {
        let used = |name: &Segments| {
            let targets = self.0[name].uses.iter().filter_map(|path| self.defining(path, 0));
            targets.filter(|target| *target != name).collect::<BTreeSet<_>>()
        };
        let edges: BTreeMap<&Segments, BTreeSet<&Segments>> = self.0.keys().map(|name| (name, used(name))).collect();
        self.0.keys().filter_map(|name| circle(&edges, name)).collect()
    }
}

/// The shortest circle through a module, told from its first module on, so that it reads alike from wherever it was found.
fn circle(edges: &BTreeMap<&Segments, BTreeSet<&Segments>>, start: &Segments) -> Option<String> {
    let mut before: BTreeMap<&Segments, &Segments> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(module) = waiting.pop_front() {
        for target in &edges[module] {
            if *target == start {
                let mut circle = vec![module];
                while let Some(previous) = circle.last().and_then(|module| before.get(*module)) {
                    circle.push(*previous);
                }
                circle.reverse();
                let first = (0..circle.len()).min_by_key(|place| circle[*place])?;
                circle.rotate_left(first);
                return Some(circle.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(" -> "));
            }
            if !before.contains_key(target) {
                before.insert(*target, module);
                waiting.push_back(*target);
            }
        }
    }
    None
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether something is there for tests alone: `#[cfg(test)]`, `#[test]`, `#[tokio::test]`.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().segments.last().is_some_and(|name| name.ident == "test"),
    })
}

struct Reader {
    at: Segments,
    module: Module,
}

impl Reader {
    /// A path from the crate's root, if it stays within the crate.
    fn absolute(&self, path: &[String]) -> Option<Segments> {
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([&self.at, &path[1..]].concat()),
            "super" => {
                let up = path.iter().take_while(|segment| *segment == "super").count();
                let above = self.at.len().checked_sub(up)?;
                Some([&self.at[..above], &path[up..]].concat())
            }
            _ => None,
        }
    }

    fn use_tree(&mut self, tree: &UseTree, before: &mut Segments, public: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.use_tree(&path.tree, before, public);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(tree, before, public)),
            UseTree::Name(name) => self.used(before, &name.ident.to_string(), name.ident.to_string(), public),
            UseTree::Rename(name) => self.used(before, &name.ident.to_string(), name.rename.to_string(), public),
            UseTree::Glob(_) => {
                self.mention(before);
                self.module.uses.extend(self.absolute(before));
            }
        }
    }

    fn used(&mut self, before: &[String], name: &str, shown: String, public: bool) {
        let whole = if name == "self" { before.to_vec() } else { [before, &[name.to_owned()]].concat() };
        self.mention(&whole);
        // `pub use child::Name` needs no `self::`.
        let child = || public.then(|| [self.at.as_slice(), &whole].concat());
        let Some(path) = self.absolute(&whole).or_else(child) else { return };
        if public {
            self.module.passes_on.insert(shown, path);
        } else {
            self.module.uses.insert(path);
        }
    }

    /// A macro is only tokens: what looks like a path in them is one.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Segments::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.path(&mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => self.text(&literal.to_string()),
                TokenTree::Punct(_) => {}
            }
            self.path(&mem::take(&mut path));
            colons = 0;
        }
        self.path(&path);
    }

    fn mention(&mut self, path: &[String]) {
        let own = self.absolute(path).map(|path| [vec!["crate".to_owned()], path].concat());
        self.module.mentions.insert(own.as_deref().unwrap_or(path).join("::"));
    }

    fn text(&mut self, text: &str) {
        if STATEMENTS.iter().any(|statement| text.contains(statement)) {
            self.module.mentions.insert(SQL.to_owned());
        }
    }

    fn path(&mut self, path: &[String]) {
        if path.len() > 1 {
            self.mention(path);
            // What begins with no keyword may begin with a child.
            let path = self.absolute(path).unwrap_or_else(|| [self.at.as_slice(), path].concat());
            self.module.uses.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.use_tree(&item.tree, &mut Vec::new(), !matches!(item.vis, Visibility::Inherited));
    }

    /// `pub(in crate::grpc)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.path(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Segments>());
        visit::visit_path(self, path);
    }

    fn visit_lit_str(&mut self, literal: &'ast LitStr) {
        self.text(&literal.value());
    }

    /// A doc comment is an attribute as well, and mentions nothing.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }

    fn visit_macro(&mut self, written: &'ast Macro) {
        if written.path.segments.last().is_some_and(|name| name.ident.to_string().starts_with("query")) {
            self.module.mentions.insert(SQL.to_owned());
        }
        self.tokens(written.tokens.clone());
        visit::visit_macro(self, written);
    }
}
