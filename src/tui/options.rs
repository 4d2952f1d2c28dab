//! How the dashboard is to look and listen: out of the config and what the environment says of the terminal.
//!
//! Knows config and environment. Never asks the terminal itself: over a slow line answers come late, as typed text.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use tokio::sync::mpsc::UnboundedReceiver;

use super::beside::{Beside, Between, Call};
use super::editor::Scratch;
use super::theme::{ColorDepth, Glyphs, Styles, Theme};
use crate::app::thrift::Thrift;
use crate::app::{AppOptions, Keymap, views};
use crate::config::{self, Config, ConfigError, Env, ThemeChanged};

/// How the dashboard is to run.
pub struct Options {
    /// The app's own.
    pub app: AppOptions,
    /// How roles look; settles colour, whatever `NO_COLOR` says.
    pub styles: Styles,
    /// What the terminal does beside showing cells.
    pub beside: Beside,
    /// What the terminal shows, for a theme that is read again.
    pub look: (ColorDepth, Glyphs),
    /// The theme, while it may change.
    pub themes: Option<UnboundedReceiver<ThemeChanged>>,
    /// The user's editor, a shell command.
    pub editor: String,
    /// Where a prompt lies while the editor has it; `None`: it cannot be edited so.
    pub scratch: Option<Scratch>,
    /// What opens a clip, word by word; empty: nothing does.
    pub open_command: Vec<String>,
    /// Where the log is, to be named when the program fails.
    pub log: Option<PathBuf>,
}

impl Options {
    /// As the user set it. `own_theme` is the user's file for the theme's name and its text, if there is one.
    ///
    /// # Errors
    /// A theme or keys that can not be used, with their place.
    pub fn new(config: &Config, env: &Env, own_theme: Option<(&Path, &str)>) -> Result<Options, ConfigError> {
        let theme = match (own_theme, &config.theme) {
            (Some((file, text)), _) => {
                Theme::parse(text).map_err(|error| ConfigError::new(error.place(file), error.to_string()))?
            }
            (None, name) => {
                let theme = Theme::built_in(name.as_deref().unwrap_or("default"));
                theme.map_err(|error| config.fault("theme", error.to_string()))?
            }
        };
        let look = (depth(config.color, env), glyphs(config.glyphs, env));
        let keymap =
            Keymap::with(config.key_overrides()).map_err(|error| ConfigError::new("keys", error.to_string()))?;
        let views = views::read(&config.views)
            .map_err(|(name, why)| config.fault(&format!("views.{name}"), format!("views.{name}: {why}")))?;
        let app = AppOptions {
            keymap,
            time_zone: TimeZone::system(),
            ask_above: config.ask_above,
            thrift: match config.thrift {
                config::Thrift::Full => Thrift::Full,
                config::Thrift::Calm => Thrift::Calm,
                config::Thrift::Frugal => Thrift::Frugal,
            },
            copies: match config.clipboard {
                config::Clipboard::Auto => knows_osc(env),
                config::Clipboard::Osc52 => true,
                config::Clipboard::Off => false,
            },
            calls: config.notify != config::Notify::Off,
            views,
            opens: !config.open_command.is_empty(),
            ..AppOptions::default()
        };
        Ok(Options {
            app,
            styles: Styles::new(&theme, look.0, look.1),
            beside: beside(config, env),
            look,
            themes: None,
            editor: editor(env),
            scratch: None,
            open_command: config.open_command.clone(),
            log: None,
        })
    }
}

fn beside(config: &Config, env: &Env) -> Beside {
    let call = match &config.notify {
        config::Notify::Off => Call::Off,
        config::Notify::Bell => Call::Bell,
        config::Notify::Osc9 => Call::Osc9,
        config::Notify::Osc777 => Call::Osc777,
        config::Notify::Command(command) => Call::Command(command.clone()),
    };
    let between = between(env);
    let links = match config.links {
        // screen passes none on, and says nothing of it.
        config::Links::Auto => knows_osc(env) && between != Between::Screen,
        config::Links::On => true,
        config::Links::Off => false,
    };
    Beside { between, call, links, host: env.host.clone(), mouse: config.mouse }
}

/// Over SSH the multiplexer's own variable does not arrive, but the name that it gives to its terminal does.
fn between(env: &Env) -> Between {
    let term = env.get("TERM").unwrap_or_default();
    if env.get("TMUX").is_some() || term.starts_with("tmux") {
        Between::Tmux
    } else if env.get("STY").is_some() || term.starts_with("screen") {
        Between::Screen
    } else {
        Between::Nothing
    }
}

/// As other programs find it: VISUAL, EDITOR, then what every system has.
fn editor(env: &Env) -> String {
    let named = ["VISUAL", "EDITOR"].iter().find_map(|name| env.get(name).filter(|text| !text.trim().is_empty()));
    named.unwrap_or("vi").to_owned()
}

/// Whether the terminal at least skips the operating system commands that it does not know.
fn knows_osc(env: &Env) -> bool {
    let term = env.get("TERM").unwrap_or_default();
    !(matches!(term, "" | "dumb" | "linux" | "ansi") || term.starts_with("vt"))
}

/// Terminals that show any colour and are called by a name of their own.
const TRUE_COLOR: [&str; 6] = ["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour"];

/// The config, then `NO_COLOR`, then what the terminal's variables promise. Where nothing promises more, the 16
/// colours every terminal has.
fn depth(color: config::Color, env: &Env) -> ColorDepth {
    let promised = || {
        let term = env.get("TERM").unwrap_or_default();
        match env.get("COLORTERM") {
            Some("truecolor" | "24bit") => ColorDepth::TrueColor,
            // SSH does not hand COLORTERM on; these names promise as much by themselves.
            _ if term.ends_with("-direct") || TRUE_COLOR.contains(&term) => ColorDepth::TrueColor,
            _ if term.contains("256color") => ColorDepth::Ansi256,
            _ if term == "dumb" || term.starts_with("vt") || term.ends_with("-mono") || term.ends_with("-m") => {
                ColorDepth::None
            }
            _ => ColorDepth::Ansi16,
        }
    };
    match color {
        config::Color::Never => ColorDepth::None,
        config::Color::Ansi16 => ColorDepth::Ansi16,
        config::Color::Ansi256 => ColorDepth::Ansi256,
        config::Color::True => ColorDepth::TrueColor,
        config::Color::Always => promised(),
        config::Color::Auto if env.get("NO_COLOR").is_some() => ColorDepth::None,
        config::Color::Auto => promised(),
    }
}

fn glyphs(wanted: config::Glyphs, env: &Env) -> Glyphs {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env.get(name)).unwrap_or_default();
    let utf8 = locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    match wanted {
        config::Glyphs::Unicode => Glyphs::Unicode,
        config::Glyphs::Ascii => Glyphs::Ascii,
        config::Glyphs::Auto if utf8 => Glyphs::Unicode,
        config::Glyphs::Auto => Glyphs::Ascii,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> Env {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Env { vars, ..Env::default() }
    }

    #[test]
    fn colour_is_the_users_word_then_no_color_then_what_the_terminal_promises() {
        for (color, vars, wanted) in [
            (config::Color::Auto, &[][..], ColorDepth::Ansi16),
            (config::Color::Auto, &[("TERM", "xterm-256color")][..], ColorDepth::Ansi256),
            (config::Color::Auto, &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")][..], ColorDepth::TrueColor),
            (config::Color::Auto, &[("COLORTERM", "truecolor"), ("NO_COLOR", "1")][..], ColorDepth::None),
            (config::Color::Auto, &[("TERM", "screen"), ("NO_COLOR", "")][..], ColorDepth::Ansi16),
            (config::Color::Auto, &[("TERM", "xterm-kitty")][..], ColorDepth::TrueColor),
            (config::Color::Auto, &[("TERM", "linux")][..], ColorDepth::Ansi16),
            (config::Color::Auto, &[("TERM", "vt220")][..], ColorDepth::None),
            (config::Color::Auto, &[("TERM", "xterm-mono")][..], ColorDepth::None),
            (config::Color::Always, &[("TERM", "xterm-256color"), ("NO_COLOR", "1")][..], ColorDepth::Ansi256),
            (config::Color::Never, &[("COLORTERM", "truecolor")][..], ColorDepth::None),
            (config::Color::True, &[("NO_COLOR", "1")][..], ColorDepth::TrueColor),
        ] {
            assert_eq!(depth(color, &env(vars)), wanted, "{color:?} {vars:?}");
        }
    }

    #[test]
    fn what_stands_between_is_known_by_its_variable_or_its_terminals_name() {
        for (vars, wanted) in [
            (&[("TERM", "xterm-256color")][..], Between::Nothing),
            (&[("TERM", "screen-256color"), ("TMUX", "/tmp/tmux-0/default,1,0")][..], Between::Tmux),
            (&[("TERM", "tmux-256color")][..], Between::Tmux),
            (&[("TERM", "xterm"), ("STY", "1.pts-0.box")][..], Between::Screen),
            (&[("TERM", "screen.xterm-256color")][..], Between::Screen),
        ] {
            assert_eq!(between(&env(vars)), wanted, "{vars:?}");
        }
        assert!(!knows_osc(&env(&[("TERM", "linux")])) && knows_osc(&env(&[("TERM", "foot")])));
    }

    #[test]
    fn boxes_are_drawn_where_the_locale_has_them() {
        for (vars, wanted) in [
            (&[("LANG", "en_GB.UTF-8")][..], Glyphs::Unicode),
            (&[("LANG", "C.utf8")][..], Glyphs::Unicode),
            (&[("LANG", "C")][..], Glyphs::Ascii),
            (&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")][..], Glyphs::Ascii),
            (&[][..], Glyphs::Ascii),
        ] {
            assert_eq!(glyphs(config::Glyphs::Auto, &env(vars)), wanted, "{vars:?}");
        }
    }
}
