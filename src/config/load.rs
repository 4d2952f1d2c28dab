//! Reads the config file and runs key commands: all that config does to the world outside.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;

use super::file::{self, Keys};
use super::{Config, ConfigError, Env, Globals, account};
use crate::domain::{Caps, ModelRef, Money};

/// Largest file that is read, bytes.
const LARGEST: u64 = 1 << 20;
/// Dollars above which the dashboard asks before it queues, unless the user sets another sum.
const ASK_ABOVE: u32 = 20;

/// The files' texts, as read.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    /// `config.toml`.
    pub config: String,
    /// Whether there is a `config.toml`.
    pub found: bool,
    /// `models.toml` beside it.
    pub models: Option<String>,
    /// Whether others than the user can read the config file.
    pub open: bool,
}

impl Config {
    /// Reads the config file named by the flags or the environment and makes settings of it all.
    /// No key command is run yet; see [`Config::unlock`].
    ///
    /// # Errors
    /// [`ConfigError`] with file and line.
    pub fn load(globals: &Globals, env: &Env) -> Result<Config, ConfigError> {
        let path = config_path(globals, env)?;
        let named = globals.config.is_some();
        let text = read(&path)?;
        if named && text.is_none() {
            return Err(ConfigError::new(path.display().to_string(), "there is no such file"));
        }
        let texts = Texts {
            found: text.is_some(),
            config: text.unwrap_or_default(),
            models: read(&path.with_file_name("models.toml"))?,
            open: is_open(&path),
        };
        Config::assemble(globals, env, &path, texts)
    }

    /// The same from texts already read: pure.
    pub(super) fn assemble(globals: &Globals, env: &Env, path: &Path, texts: Texts) -> Result<Config, ConfigError> {
        let shown = path.display().to_string();
        let file = file::parse(&texts.config, &shown)?;
        let config_dir = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let place = |flag: &Option<PathBuf>, written: &Option<PathBuf>, usual: Option<PathBuf>, what: &str| {
            let flag = flag.as_ref().map(|path| env.absolute(path, &env.cwd));
            let written = || written.as_ref().map(|path| env.absolute(path, &config_dir));
            flag.or_else(written).or(usual).ok_or_else(|| {
                ConfigError::new("environment", format!("there is no home directory; give --{what} DIR"))
            })
        };
        let accounts = if globals.sim { Vec::new() } else { account::accounts(&file, &texts.config, &shown, env)? };
        let mut warnings = Vec::new();
        if texts.open && file.accounts.values().any(|account| account.get_ref().api_key.is_some()) {
            warnings.push(format!("{shown} holds a key and others can read it; run: chmod 600 {shown}"));
        }
        let line = |at: std::ops::Range<usize>| file::line_of(&texts.config, at.start);
        let mut lines: BTreeMap<String, usize> =
            file.keys.iter().map(|(action, keys)| (format!("keys.{action}"), line(keys.span()))).collect();
        lines.extend(file.name_template.iter().map(|text| ("name_template".to_owned(), line(text.span()))));
        lines.extend(file.theme.iter().map(|text| ("theme".to_owned(), line(text.span()))));
        lines.extend(file.views.iter().map(|(name, text)| (format!("views.{name}"), line(text.span()))));
        let mut views: Vec<(usize, String, String)> =
            file.views.into_iter().map(|(name, text)| (text.span().start, name, text.into_inner())).collect();
        views.sort();
        let open_command = match &file.open_command {
            Some(text) if !text.get_ref().split_whitespace().any(|word| word.contains("{path}")) => {
                let place = format!("{shown}:{}", line(text.span()));
                return Err(ConfigError::new(place, "open_command has no {path}; write for example \"mpv {path}\""));
            }
            Some(text) => text.get_ref().split_whitespace().map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let ask_above = Money::usd(Decimal::from(ASK_ABOVE));
        let dollars = |amount: Option<file::Amount>| amount.map(file::Amount::dollars);
        let mut model_caps = BTreeMap::new();
        for (name, caps) in &file.caps.models {
            let place = format!("{shown}:{}: caps.models", line(caps.span()));
            let name: ModelRef = name.parse().map_err(|why: String| ConfigError::new(&place, why))?;
            if !globals.sim && !accounts.iter().any(|account| account.name == name.account) {
                warnings.push(format!("{place}: there is no account {} now, so its cap holds nothing", name.account));
            }
            let file::ModelCaps { day, month, day_jobs, month_jobs } = *caps.get_ref();
            let (day, month) = (dollars(day), dollars(month));
            model_caps.insert(name, Caps { day, month, day_jobs, month_jobs, ..Caps::default() });
        }
        let config = Config {
            accounts,
            data_dir: place(&globals.data_dir, &file.data_dir, env.data_dir(), "data-dir")?,
            output_dir: place(&globals.output_dir, &file.output_dir, env.output_dir(), "output-dir")?,
            name_template: file.name_template.map(toml::Spanned::into_inner),
            caps: Caps {
                day: dollars(file.caps.day),
                month: dollars(file.caps.month),
                day_jobs: file.caps.day_jobs,
                month_jobs: file.caps.month_jobs,
                ..Caps::default()
            },
            model_caps,
            ask_above: dollars(file.ask_above).or(Some(ask_above)),
            theme: file.theme.map(toml::Spanned::into_inner),
            color: globals.color.or(file.color).unwrap_or_default(),
            glyphs: file.glyphs,
            mouse: file.mouse,
            thrift: file.thrift,
            clipboard: file.clipboard,
            links: file.links,
            notify: file.notify,
            open_command,
            views: views.into_iter().map(|(_, name, text)| (name, text)).collect(),
            keys: file
                .keys
                .into_iter()
                .map(|(action, keys)| match keys.into_inner() {
                    Keys::One(key) => (action, vec![key]),
                    Keys::Several(keys) => (action, keys),
                })
                .collect(),
            config_file: path.to_path_buf(),
            has_file: texts.found,
            config_dir,
            lines,
            models: texts.models,
            simulated: false,
            warnings,
            output_given: globals.output_dir.is_some(),
        };
        Ok(if globals.sim { config.simulated() } else { config })
    }

    /// Makes every account's key known, running key commands with the user's shell; says who was left out.
    ///
    /// # Errors
    /// As [`Config::unlock`].
    pub fn unlock_with_shell(&mut self) -> Result<Vec<ConfigError>, ConfigError> {
        self.unlock(shell)
    }
}

fn config_path(globals: &Globals, env: &Env) -> Result<PathBuf, ConfigError> {
    match &globals.config {
        Some(path) => Ok(env.absolute(path, &env.cwd)),
        None => match env.config_dir() {
            Some(dir) => Ok(dir.join("config.toml")),
            None => Err(ConfigError::new("environment", "there is no home directory; give --config FILE")),
        },
    }
}

/// A file's text; `None` where there is none.
fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    let failed = |why: String| ConfigError::new(path.display().to_string(), why);
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(failed(format!("cannot be read: {error}"))),
    };
    let mut text = String::new();
    match file.take(LARGEST + 1).read_to_string(&mut text) {
        Ok(_) if text.len() as u64 > LARGEST => Err(failed("is larger than 1 MiB".to_owned())),
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(failed(format!("cannot be read: {error}"))),
    }
}

fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

/// Runs a key command; what it prints is the key, so nothing of it goes into an error.
fn shell(command: &str) -> Result<String, String> {
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", command])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("it ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| "it printed something that is no text".to_owned())
}
