//! Which key does what where: the defaults out of the one list, changed by the user's config.
//!
//! Knows contexts and keys. Must not know how an action is done, nor where the config lies.

use std::collections::HashMap;
use std::fmt;

use crossterm::event::KeyCode;

use super::action::{Action, Context, Entry, TABLE};
use super::input::Key;

/// Actions of one pane that stand before an action of all panes on purpose: the form's fields come
/// before the panes.
const MEANT: [(Action, Action); 2] =
    [(Action::NextField, Action::NextPane), (Action::PreviousField, Action::PreviousPane)];

/// Keys to actions, and back.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: HashMap<(Context, Key), Action>,
    keys: HashMap<Action, Vec<Key>>,
}

/// What is wrong with a `[keys]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeymapError {
    /// No action has this name; perhaps this one was meant.
    UnknownAction(String, Option<&'static str>),
    /// This is no key: the action, and why.
    UnknownKey(&'static str, String),
    /// Two actions want the same key in the same place.
    Conflict {
        /// The key.
        key: String,
        /// The place.
        context: &'static str,
        /// The action that has it.
        first: &'static str,
        /// The action that wants it too.
        second: &'static str,
    },
    /// This action would have no key that can reach it in that place.
    Unreachable(&'static str, &'static str),
}

impl fmt::Display for KeymapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeymapError::UnknownAction(name, near) => {
                write!(f, "keys: `{name}` is no action")?;
                near.map_or(Ok(()), |near| write!(f, "; perhaps `{near}`"))
            }
            KeymapError::UnknownKey(name, why) => write!(f, "keys.{name}: {why}"),
            KeymapError::Conflict { key, context, first, second } => {
                write!(
                    f,
                    "keys: {key} would be both `{first}` and `{second}` ({context}); give one of them another key"
                )
            }
            KeymapError::Unreachable(name, context) => {
                write!(
                    f,
                    "keys.{name}: no key reaches it ({context}); where text is typed it needs Ctrl, Alt, an F-key or an arrow"
                )
            }
        }
    }
}

impl std::error::Error for KeymapError {}

impl Default for Keymap {
    fn default() -> Self {
        Keymap::with(std::iter::empty()).expect("a test holds that the defaults are free of conflicts")
    }
}

impl Keymap {
    /// The defaults, with the keys of the named actions replaced: pairs of an action's name and its keys.
    ///
    /// # Errors
    /// The first unknown name, unknown key, conflict or unreachable action.
    pub fn with(overrides: impl IntoIterator<Item = (String, Vec<String>)>) -> Result<Self, KeymapError> {
        let mut keys: HashMap<Action, Vec<Key>> = HashMap::new();
        for entry in TABLE {
            keys.insert(entry.action, parse(entry, entry.keys)?);
        }
        for (name, texts) in overrides {
            let Some(entry) = TABLE.iter().find(|e| e.name == name) else {
                return Err(KeymapError::UnknownAction(name.clone(), nearest(&name)));
            };
            keys.insert(entry.action, parse(entry, &texts)?);
        }
        let mut bindings = HashMap::new();
        for entry in TABLE {
            let own = &keys[&entry.action];
            for &context in entry.contexts {
                let mut reachable = false;
                for &key in own.iter().filter(|key| !(context.takes_text() && key.typed().is_some())) {
                    reachable = true;
                    if let Some(first) = bindings.insert((context, key), entry.action) {
                        return Err(KeymapError::Conflict {
                            key: key.to_string(),
                            context: context.title(),
                            first: first.entry().name,
                            second: entry.name,
                        });
                    }
                }
                if !reachable {
                    return Err(KeymapError::Unreachable(entry.name, context.title()));
                }
            }
        }
        // Whoever gives quit another key keeps the one that ends every program, unless it is taken for something else.
        let interrupt = Key::new(KeyCode::Char('c'), crossterm::event::KeyModifiers::CONTROL);
        bindings.entry((Context::Everywhere, interrupt)).or_insert(Action::Quit);
        for (&(context, key), &first) in &bindings {
            let over = matches!(context, Context::Jobs | Context::Compose | Context::Model);
            let hidden = bindings.get(&(Context::Everywhere, key)).filter(|_| over);
            if let Some(second) = hidden.filter(|second| !MEANT.contains(&(first, **second))) {
                return Err(KeymapError::Conflict {
                    key: key.to_string(),
                    context: context.title(),
                    first: first.entry().name,
                    second: second.entry().name,
                });
            }
        }
        Ok(Keymap { bindings, keys })
    }

    /// What `key` does where these contexts are looked through in turn.
    pub fn find(&self, contexts: &[Context], key: Key) -> Option<Action> {
        let text = contexts.iter().any(|c| c.takes_text()) && key.typed().is_some();
        if text {
            return None;
        }
        contexts.iter().find_map(|context| self.bindings.get(&(*context, key)).copied())
    }

    /// All keys of an action, the user's or the default ones.
    pub fn keys(&self, action: Action) -> &[Key] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The key to show for an action in a context.
    pub fn shown(&self, action: Action, context: Context) -> Option<Key> {
        self.keys(action).iter().copied().find(|key| !(context.takes_text() && key.typed().is_some()))
    }
}

fn parse<S: AsRef<str>>(entry: &Entry, texts: &[S]) -> Result<Vec<Key>, KeymapError> {
    texts
        .iter()
        .map(|text| {
            let key: Key = text.as_ref().parse().map_err(|why| KeymapError::UnknownKey(entry.name, why))?;
            if never_arrives(key) {
                let why = format!("{key} never arrives from most terminals; take another key");
                return Err(KeymapError::UnknownKey(entry.name, why));
            }
            Ok(key)
        })
        .collect()
}

/// Keys that terminals send as another key: Ctrl-H is Backspace, Ctrl-I Tab, Ctrl-J and Ctrl-M Enter,
/// Ctrl-[ Esc; and Enter knows no modifiers.
fn never_arrives(key: Key) -> bool {
    use crossterm::event::KeyModifiers as M;
    match key.code {
        KeyCode::Char('h' | 'i' | 'j' | 'm' | '[') => key.modifiers.contains(M::CONTROL),
        KeyCode::Enter => key.modifiers.intersects(M::CONTROL | M::SHIFT),
        _ => false,
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    let (distance, best) = TABLE.iter().map(|e| (strsim::damerau_levenshtein(name, e.name), e.name)).min()?;
    (distance <= 3).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, keys: &[&str]) -> Result<Keymap, KeymapError> {
        Keymap::with([(name.to_owned(), keys.iter().map(|k| (*k).to_owned()).collect())])
    }

    #[test]
    fn the_defaults_have_no_conflicts_and_every_action_is_reachable_where_it_works() {
        let keymap = Keymap::default();
        for entry in TABLE {
            for &context in entry.contexts {
                let key = keymap.shown(entry.action, context).unwrap();
                assert_eq!(keymap.find(&[context], key), Some(entry.action), "{} in {context:?}", entry.name);
            }
        }
    }

    #[test]
    fn conflicts_typos_and_unreachable_keys_are_refused_by_name() {
        let conflict = with("cancel", &["r"]).unwrap_err().to_string();
        assert!(conflict.contains("`retry`") && conflict.contains("`cancel`"), "{conflict}");
        let hidden = with("cancel", &["q"]).unwrap_err().to_string();
        assert!(hidden.contains("`cancel`") && hidden.contains("`quit`"), "{hidden}");
        assert!(with("retyr", &["x"]).unwrap_err().to_string().contains("perhaps `retry`"));
        assert!(with("queue", &["s"]).unwrap_err().to_string().contains("no key reaches it"));
        assert!(with("queue", &["Ctrl-M"]).is_err(), "Ctrl-M is Enter");
        let moved = with("cancel", &["Z"]).unwrap();
        assert_eq!(moved.find(&[Context::Jobs], Key::char('Z')), Some(Action::Cancel));
        assert_eq!(moved.find(&[Context::Jobs], Key::char('c')), None);
    }

    #[test]
    fn where_text_is_typed_a_letter_is_a_letter() {
        let keymap = Keymap::default();
        assert_eq!(keymap.find(&[Context::Compose, Context::Everywhere], Key::char('q')), None);
        assert_eq!(keymap.find(&[Context::Jobs, Context::Everywhere], Key::char('q')), Some(Action::Quit));
        let tab = "Tab".parse().unwrap();
        assert_eq!(keymap.find(&[Context::Compose, Context::Everywhere], tab), Some(Action::NextField));
    }
}
