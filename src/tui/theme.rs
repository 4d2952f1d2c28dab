//! Themes: roles to looks, fitted to what the terminal shows. With `coarse` the only file that names a colour.
//!
//! Knows the roles and the embedded themes. Must not know any pane.

mod coarse;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use coarse::{ANSI, fit};

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColorDepth {
    /// None; bold, reverse and underline still work.
    None,
    /// The 16 of the terminal's own palette.
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// Any.
    TrueColor,
}

/// Which drawing characters the terminal's font has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Box drawing, bars, dots.
    Unicode,
    /// Plain ASCII.
    Ascii,
}

/// What a piece of the screen is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The whole screen, under everything.
    Screen,
    /// Ordinary text.
    Text,
    /// Labels and what matters less; still readable.
    Dim,
    /// What matters most in its place.
    Strong,
    /// The one accent: focus, keys, the product's name.
    Accent,
    /// The product's name in the corner.
    Badge,
    /// The simulator's and read-only marks.
    Warning,
    /// The selected line.
    Selection,
    /// Frames.
    Border,
    /// The frame that has the focus.
    BorderFocus,
    /// Done, fits, free of trouble.
    Ok,
    /// Waits or may need the user.
    Warn,
    /// Went wrong.
    Error,
    /// Queued.
    Queued,
    /// At a service.
    Running,
    /// On its way to disk.
    Fetching,
    /// Amounts of money.
    Money,
    /// The empty part of a bar.
    Track,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 18] = [
        Role::Screen,
        Role::Text,
        Role::Dim,
        Role::Strong,
        Role::Accent,
        Role::Badge,
        Role::Warning,
        Role::Selection,
        Role::Border,
        Role::BorderFocus,
        Role::Ok,
        Role::Warn,
        Role::Error,
        Role::Queued,
        Role::Running,
        Role::Fetching,
        Role::Money,
        Role::Track,
    ];
}

/// How one role looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Foreground; the terminal's own where left out.
    #[serde(default)]
    fg: Option<Paint>,
    /// Background; the terminal's own where left out.
    #[serde(default)]
    bg: Option<Paint>,
    /// Foreground where the terminal has 16 colours; the nearest of them where left out.
    #[serde(default)]
    fg16: Option<Paint>,
    /// Background there.
    #[serde(default)]
    bg16: Option<Paint>,
    /// Bold.
    #[serde(default)]
    bold: bool,
    /// Fainter than the text.
    #[serde(default)]
    dim: bool,
    /// Foreground and background exchanged.
    #[serde(default)]
    reverse: bool,
    /// Underlined.
    #[serde(default)]
    underline: bool,
}

/// A colour as a theme writes it: `red`, `bright-blue`, `"#7aa2f7"`, `213`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Paint(Color);

impl TryFrom<toml::Value> for Paint {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let refused = || format!("`{value}` is no colour; write red, bright-blue, \"#7aa2f7\" or a number 0 to 255");
        match &value {
            toml::Value::Integer(n) => u8::try_from(*n).map(|n| Paint(Color::Indexed(n))).map_err(|_| refused()),
            toml::Value::String(name) => {
                if let Some(hex) = name.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.is_ascii()) {
                    let rgb = u32::from_str_radix(hex, 16).map_err(|_| refused())?;
                    let [_, r, g, b] = rgb.to_be_bytes();
                    return Ok(Paint(Color::Rgb(r, g, b)));
                }
                ANSI.iter().find(|(known, _)| known == name).map(|(_, color)| Paint(*color)).ok_or_else(refused)
            }
            _ => Err(refused()),
        }
    }
}

/// A theme as its file writes it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// One sentence for the list of themes.
    pub about: String,
    /// Each role's look; a role that is left out looks like text.
    roles: BTreeMap<Role, Look>,
}

/// A theme that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeError {
    line: Option<usize>,
    why: String,
}

impl ThemeError {
    /// Where it is in this file: its path, and the line where that is known.
    pub fn place(&self, file: &Path) -> String {
        let file = file.display();
        self.line.map_or_else(|| file.to_string(), |line| format!("{file}:{line}"))
    }
}

impl fmt::Display for ThemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for ThemeError {}

/// The embedded themes by name.
pub const BUILT_IN: [(&str, &str); 8] = [
    ("default", include_str!("../../themes/default.toml")),
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("color-blind", include_str!("../../themes/color-blind.toml")),
    ("gruvbox", include_str!("../../themes/gruvbox.toml")),
    ("tokyo-night", include_str!("../../themes/tokyo-night.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

impl Theme {
    /// Reads a theme.
    ///
    /// # Errors
    /// The parser's sentence and its line: an unknown role, an unknown key, no colour.
    pub fn parse(text: &str) -> Result<Self, ThemeError> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count());
            ThemeError { line, why: error.message().to_owned() }
        })
    }

    /// An embedded theme.
    ///
    /// # Errors
    /// A sentence that names all of them.
    pub fn built_in(name: &str) -> Result<Self, ThemeError> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| {
            let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            ThemeError { line: None, why: format!("`{name}` is no theme; there are {}", names.join(", ")) }
        })?;
        Theme::parse(text)
    }
}

/// A theme fitted to a terminal: what the panes draw with.
#[derive(Clone, Debug)]
pub struct Styles {
    by_role: [Style; Role::ALL.len()],
    /// Which drawing characters to use.
    pub glyphs: Glyphs,
    /// Whether the selected line is painted from edge to edge.
    pub selection_fills: bool,
}

impl Styles {
    /// Fits a theme to what the terminal can show.
    pub fn new(theme: &Theme, depth: ColorDepth, glyphs: Glyphs) -> Self {
        let look = |role: &Role| theme.roles.get(role).copied().unwrap_or_default();
        let mut by_role = [Style::default(); Role::ALL.len()];
        for role in Role::ALL {
            by_role[role as usize] = look(&role).style(depth);
        }
        let selection = by_role[Role::Selection as usize];
        let selection_fills = selection.bg.is_some() || selection.add_modifier.contains(Modifier::REVERSED);
        Styles { by_role, glyphs, selection_fills }
    }

    /// The style of a role.
    pub fn of(&self, role: Role) -> Style {
        self.by_role[role as usize]
    }
}

impl Default for Styles {
    /// The default theme in 16 colours.
    fn default() -> Self {
        let theme = Theme::built_in("default").expect("a test reads every embedded theme");
        Styles::new(&theme, ColorDepth::Ansi16, Glyphs::Unicode)
    }
}

impl Look {
    fn style(self, depth: ColorDepth) -> Style {
        let mut style = Style::default();
        let few = depth == ColorDepth::Ansi16;
        let (fg, bg) = (self.fg16.filter(|_| few).or(self.fg), self.bg16.filter(|_| few).or(self.bg));
        if let Some(color) = fg.and_then(|paint| fit(paint.0, depth)) {
            style = style.fg(color);
        }
        if let Some(color) = bg.and_then(|paint| fit(paint.0, depth)) {
            style = style.bg(color);
        }
        // Without colours a painted background is shown the only way that is left.
        let reverse = self.reverse || (depth == ColorDepth::None && self.bg.is_some() && self.bold);
        for (wanted, modifier) in [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (reverse, Modifier::REVERSED),
            (self.underline, Modifier::UNDERLINED),
        ] {
            if wanted {
                style = style.add_modifier(modifier);
            }
        }
        style
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_theme_reads_and_names_every_role() {
        for (name, _) in BUILT_IN {
            let theme = Theme::built_in(name).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(!theme.about.is_empty());
            for role in Role::ALL {
                assert!(theme.roles.contains_key(&role), "{name} leaves {role:?} out");
            }
        }
        for (i, role) in Role::ALL.iter().enumerate() {
            assert_eq!(*role as usize, i);
        }
    }

    #[test]
    fn an_unknown_role_or_colour_is_refused_with_its_name() {
        let refused = |roles: &str| {
            let error = Theme::parse(&format!("about = \"x\"\n[roles]\n{roles}")).unwrap_err();
            assert_eq!(error.place(Path::new("mine.toml")), "mine.toml:3", "{error}");
            error.to_string()
        };
        assert!(refused("txet = {}").contains("txet"));
        assert!(refused("text = { fg = \"reddish\" }").contains("reddish"));
        assert!(refused("text = { fg = 256 }").contains("256"));
    }

    fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
        let part = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    }

    #[test]
    fn the_faintest_text_of_every_painted_theme_is_readable() {
        // The others take the terminal's own colours, or none.
        for (name, _) in BUILT_IN.into_iter().filter(|(name, _)| !matches!(*name, "default" | "mono")) {
            let theme = Theme::built_in(name).unwrap();
            let rgb = |paint: Option<Paint>| match paint {
                Some(Paint(Color::Rgb(r, g, b))) => (r, g, b),
                other => panic!("{name} paints with {other:?}"),
            };
            let screen = rgb(theme.roles[&Role::Screen].bg);
            let wanted = if name == "high-contrast" { 7.0 } else { 4.5 };
            for role in Role::ALL {
                if matches!(role, Role::Screen | Role::Border | Role::BorderFocus | Role::Track | Role::Selection) {
                    continue;
                }
                let look = theme.roles[&role];
                let selected = rgb(theme.roles[&Role::Selection].bg);
                let grounds = if look.bg.is_some() { vec![rgb(look.bg)] } else { vec![screen, selected] };
                for ground in grounds {
                    let (a, b) = (luminance(rgb(look.fg)), luminance(ground));
                    let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                    assert!(ratio >= wanted, "{name}: {role:?} has a contrast of {ratio:.2} on {ground:?}");
                }
            }
        }
    }

    #[test]
    fn with_sixteen_colours_text_is_readable_and_states_do_not_look_alike() {
        for (name, _) in BUILT_IN.into_iter().filter(|(name, _)| !matches!(*name, "default" | "mono")) {
            let styles = Styles::new(&Theme::built_in(name).unwrap(), ColorDepth::Ansi16, Glyphs::Unicode);
            let rgb = |color: Option<Color>| coarse::ansi_rgb(color.unwrap()).unwrap();
            let screen = rgb(styles.of(Role::Screen).bg);
            for role in Role::ALL {
                if matches!(role, Role::Screen | Role::Border | Role::BorderFocus | Role::Track | Role::Selection) {
                    continue;
                }
                let style = styles.of(role);
                let ground = style.bg.map_or(screen, |color| rgb(Some(color)));
                let (a, b) = (luminance(rgb(style.fg)), luminance(ground));
                let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                // The darker grey of sixteen has 4.0 on white, whatever a theme says.
                assert!(ratio >= 3.9, "{name}: {role:?} has a contrast of {ratio:.2} in 16 colours");
            }
            let told = [Role::Ok, Role::Warn, Role::Error, Role::Running].map(|role| styles.of(role).fg);
            for (i, one) in told.iter().enumerate() {
                assert!(!told[i + 1..].contains(one), "{name}: {told:?} of done, waiting, failed, running");
            }
        }
    }

    #[test]
    fn the_default_theme_paints_no_ground_and_no_text() {
        let styles = Styles::default();
        for role in [Role::Screen, Role::Text, Role::Dim, Role::Strong] {
            assert_eq!((styles.of(role).fg, styles.of(role).bg), (None, None), "{role:?}");
        }
    }

    #[test]
    fn colours_are_dropped_without_colour() {
        for (name, _) in BUILT_IN {
            let styles = Styles::new(&Theme::built_in(name).unwrap(), ColorDepth::None, Glyphs::Ascii);
            for role in Role::ALL {
                assert_eq!((styles.of(role).fg, styles.of(role).bg), (None, None), "{name} {role:?}");
            }
        }
    }
}
