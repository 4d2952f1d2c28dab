//! The terminal face, or its plain lines, with the engine under it.
//!
//! Knows in which order they begin and end. Must not know what either shows.

use std::os::unix::fs::OpenOptionsExt;

use rushes::cli::{self, code, out::Out};
use rushes::config::{Config, ConfigError, Env};
use rushes::engine::{self, Engine, EngineError};
use rushes::tui::{self, TerminalError};

use super::simulator::embed;
use super::{StartError, unlock};

/// The terminal face, and the engine under it; another dashboard on the same data only looks on.
pub(crate) async fn dashboard(
    mut config: Config,
    env: &Env,
    verbose: u8,
    plain: bool,
    out: &Out,
) -> Result<u8, StartError> {
    if !plain {
        tui::check()?;
    }
    unlock(&mut config, out)?;
    let mut options = options(&config, env)?;
    // From here on a signal waits until the engine has started, and ends it then.
    let mut stops = tui::Stops::listen().map_err(TerminalError::System)?;
    let simulator = embed(&mut config).await?;
    let settings = cli::settings::settings(&config, "dashboard", true)?;
    let (mut starting, ends) = match Engine::start_shown(settings.clone()).await {
        Ok((starting, ends)) => (Some(starting), ends),
        Err(EngineError::Locked(why)) => {
            // The screen has a badge for the fact; who it is needs all the room.
            let holder = engine::holder(&settings.data_dir).unwrap_or(why);
            (None, engine::watch(&settings, &holder)?)
        }
        Err(error) => return Err(error.into()),
    };
    if plain {
        let engine = ready(starting.as_mut()).await?;
        let signal = async || u8::try_from(stops.next().await).unwrap_or(u8::MAX - code::SIGNAL);
        let code = cli::plain::plain(engine, ends, signal, verbose).await;
        if let Some(simulator) = simulator {
            simulator.shutdown().await;
        }
        return Ok(code);
    }
    let (commands, events) = ends;
    if verbose > 0 {
        let path = config.data_dir.join("rushes.log");
        if let Ok(file) = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path) {
            cli::out::trace_to(file, verbose);
            options.log = Some(path);
        }
    }
    let dir = config.data_dir.clone();
    options.scratch = Some(tui::Scratch {
        put: Box::new(move |text| cli::scratch::put(&dir, text)),
        take: Box::new(cli::scratch::take),
    });
    let (engine, ended) = {
        let mut face = std::pin::pin!(tui::run(commands, events, options, &mut stops));
        tokio::select! {
            biased;
            ended = &mut face => {
                let ended = ended?;
                (ready(starting.as_mut()).await?, ended)
            }
            engine = ready(starting.as_mut()) => (engine?, face.await?),
        }
    };
    let code = tui::leave(engine, ended, &mut stops).await;
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    Ok(code)
}

/// The engine once it is ready; none where there is none to come.
async fn ready(starting: Option<&mut engine::Starting>) -> Result<Option<Engine>, EngineError> {
    match starting {
        Some(starting) => Ok(Some(starting.ready().await?)),
        None => Ok(None),
    }
}

/// How the dashboard looks; the theme is read again whenever its file, or its name in the config, is written.
fn options(config: &Config, env: &Env) -> Result<tui::Options, ConfigError> {
    let file = config.theme_file();
    let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    let options = tui::Options::new(config, env, file.as_deref().zip(text.as_deref()))?;
    let (told, themes) = tokio::sync::mpsc::unbounded_channel();
    let follows = config.follow_theme(move |theme| told.send(theme).is_ok());
    Ok(tui::Options { themes: follows.then_some(themes), ..options })
}
