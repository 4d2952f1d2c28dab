//! What is wrong with settings that config cannot judge, since it must know neither media nor app.

use rushes::app::{Keymap, KeymapError, views};
use rushes::config::{Config, ConfigError, Env};
use rushes::media::Template;
use rushes::tui;

/// What any verb minds; keys and views with it where a dashboard is to be opened.
pub(crate) fn faults(config: &Config, with_keys: bool) -> Vec<ConfigError> {
    let mut faults = Vec::new();
    if let Some(Err(why)) = config.name_template.as_deref().map(Template::parse) {
        faults.push(config.fault("name_template", why));
    }
    if with_keys && let Err((name, why)) = views::read(&config.views) {
        faults.push(config.fault(&format!("views.{name}"), format!("views.{name}: {why}")));
    }
    if with_keys && let Err(error) = Keymap::with(config.key_overrides()) {
        let action = match &error {
            KeymapError::UnknownAction(name, _) => name.as_str(),
            KeymapError::UnknownKey(name, _) | KeymapError::Unreachable(name, _) => name,
            KeymapError::Conflict { first, .. } if config.keys.contains_key(*first) => first,
            KeymapError::Conflict { second, .. } => second,
        };
        faults.push(config.fault(&format!("keys.{action}"), error.to_string()));
    }
    faults
}

/// The same with what only the dashboard minds, such as its theme.
pub(crate) fn all_faults(config: &Config, env: &Env) -> Vec<ConfigError> {
    let mut faults = faults(config, true);
    if faults.is_empty() {
        let file = config.theme_file();
        let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        faults.extend(tui::Options::new(config, env, file.as_deref().zip(text.as_deref())).err());
    }
    faults
}
