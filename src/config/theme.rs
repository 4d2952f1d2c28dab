//! The theme while the dashboard runs: told again when its file is written, or its name in the config file.
//!
//! Knows which theme the config names and where the user's own lie. Must not know what is in one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::Config;
use super::watch::{read, watch};

/// The theme that is to be used from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeChanged {
    /// Its name.
    pub name: String,
    /// The file to be named where it is broken: its own, or the config file that names it.
    pub file: PathBuf,
    /// Its text where it is the user's own; `None`: a built-in one, if there is one of that name.
    pub text: Option<String>,
}

/// What the watchers share.
#[derive(Clone)]
struct Follower<T> {
    config_file: PathBuf,
    themes: PathBuf,
    /// The name in use.
    name: Arc<Mutex<String>>,
    /// `false`: nobody listens any more.
    tell: T,
}

impl Config {
    /// Tells the theme whenever it changes, until `tell` says that nobody listens any more; `false` where neither
    /// its file nor the config file could change.
    pub fn follow_theme(&self, tell: impl Fn(ThemeChanged) -> bool + Clone + Send + 'static) -> bool {
        let follower = Follower {
            config_file: self.config_file.clone(),
            themes: self.config_dir.join("themes"),
            name: Arc::new(Mutex::new(self.theme.clone().unwrap_or_else(default))),
            tell,
        };
        let own = self.theme.as_deref().is_some_and(|name| follower.follow(name));
        own | watch(&self.config_file, move |text| follower.named(&text)).is_ok()
    }
}

fn default() -> String {
    "default".to_owned()
}

impl<T: Fn(ThemeChanged) -> bool + Clone + Send + 'static> Follower<T> {
    /// Follows the user's own file of that name; `false` where there is no directory for one.
    fn follow(&self, name: &str) -> bool {
        let (follower, name) = (self.clone(), name.to_owned());
        let file = self.themes.join(format!("{name}.toml"));
        let path = file.clone();
        let told = move |text| {
            let current = follower.name.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // Another theme may be in use by now; this one may come back.
            let told = ThemeChanged { name: name.clone(), file: file.clone(), text: Some(text) };
            current != name || (follower.tell)(told)
        };
        watch(&path, told).is_ok()
    }

    /// Takes the config file as it was written.
    fn named(&self, text: &str) -> bool {
        // Half written, or broken: what it says is not yet what the user wants.
        let Ok(table) = toml::from_str::<toml::Table>(text) else { return true };
        let name = table.get("theme").and_then(toml::Value::as_str).map_or_else(default, str::to_owned);
        let before = std::mem::replace(&mut *self.name.lock().unwrap_or_else(PoisonError::into_inner), name.clone());
        if before == name {
            return true;
        }
        self.follow(&name);
        let own = self.themes.join(format!("{name}.toml"));
        let text = read(&own);
        let file = if text.is_some() { own } else { self.config_file.clone() };
        (self.tell)(ThemeChanged { name, file, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_in_the_config_is_another_theme_and_its_file_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let themes = dir.path().join("themes");
        std::fs::create_dir(&themes).unwrap();
        let (told, changes) = std::sync::mpsc::channel();
        let config_file = dir.path().join("config.toml");
        let tell = move |change| told.send(change).is_ok();
        let name = Arc::new(Mutex::new(default()));
        let follower = Follower { config_file: config_file.clone(), themes: themes.clone(), name, tell };
        let next = |text: &str| {
            assert!(follower.named(text));
            changes.try_recv().ok()
        };
        let built_in = |name: &str| ThemeChanged { name: name.to_owned(), file: config_file.clone(), text: None };
        assert_eq!(next("color = \"auto\""), None, "still the default");
        assert_eq!(next("theme = \"gruv"), None, "half written");
        assert_eq!(next("theme = \"gruvbox\""), Some(built_in("gruvbox")));
        assert_eq!(next("theme = \"mine\""), Some(built_in("mine")), "its file is not there yet");
        std::fs::write(themes.join("mine.toml"), "one").unwrap();
        let wait = || changes.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
        let mine = |text: &str| ThemeChanged {
            name: "mine".to_owned(),
            file: themes.join("mine.toml"),
            text: Some(text.to_owned()),
        };
        assert_eq!(wait(), mine("one"));
        assert_eq!(next("theme = \"dark\""), Some(built_in("dark")));
        std::fs::write(themes.join("mine.toml"), "two").unwrap();
        assert_eq!(next(""), Some(built_in("default")), "what is not in use is not told");
        assert_eq!(next("theme = \"mine\""), Some(mine("two")));
    }
}
