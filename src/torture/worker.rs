//! The process that dies: an engine on a world's directory, which queues the day and works until
//! nothing can go on, or until its point.
//!
//! Knows the engine's handle. Must not know what the judge looks at, nor speak to anything but a
//! simulator on this machine.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::point::{Death, Diary};
use crate::domain::{Answer, Command, Event, Service};
use crate::engine::{Caps, Engine, Leave, Points, Settings};

/// What a worker is told, as a file of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Errand {
    /// The simulator.
    pub(super) url: String,
    /// The world's directory.
    pub(super) dir: PathBuf,
    /// Whose day it is.
    pub(super) services: Vec<Service>,
    /// Without what only waits.
    pub(super) brief: bool,
    /// Where the points are written down.
    pub(super) diary: PathBuf,
    /// Where to die.
    pub(super) death: Option<Death>,
    /// Waits for the next look for lost orders, too.
    pub(super) settles: bool,
}

impl Errand {
    /// Where a world keeps its database.
    pub(super) fn data_dir(dir: &Path) -> PathBuf {
        dir.join("data")
    }

    /// Where a world's clips go.
    pub(super) fn output_dir(dir: &Path) -> PathBuf {
        dir.join("clips")
    }

    /// A local picture for the jobs that take one.
    pub(super) fn picture(dir: &Path) -> PathBuf {
        dir.join("still.png")
    }
}

/// Works a day as the file `errand` says.
///
/// # Errors
/// A sentence when the engine or the errand will not do.
pub async fn work(errand: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(errand).map_err(|error| format!("{}: {error}", errand.display()))?;
    let errand: Errand = serde_json::from_str(&text).map_err(|error| format!("not an errand: {error}"))?;
    if !errand.url.starts_with("http://127.0.0.1:") {
        return Err("a worker works at a simulator on this machine only".to_owned());
    }
    let day = Day::script(&errand.services, errand.brief)?;
    let diary = Diary::open(&errand.diary, errand.death).map_err(|error| format!("the diary: {error}"))?;
    let settings = Settings {
        accounts: day.accounts(&errand.url),
        data_dir: Errand::data_dir(&errand.dir),
        output_dir: Errand::output_dir(&errand.dir),
        name_template: None,
        caps: Caps::default(),
        model_caps: std::collections::BTreeMap::new(),
        simulated: Some("torture: a simulated day".to_owned()),
        times_faster: 1,
        time_zone: jiff::tz::TimeZone::UTC,
        online: true,
        least_free: 1 << 20,
        kind: "torture".to_owned(),
        models: None,
        points: Points::told(move |step, subject| diary.reached(step, subject)),
    };
    let jobs = day.jobs(&Errand::picture(&errand.dir))?;
    let engine = Engine::start(settings).await.map_err(|error| error.to_string())?;
    let (commands, mut events) = engine.attach();
    commands.send(1, Command::Queue { jobs });
    loop {
        match events.next().await {
            Some(Event::Answered { answer: Answer::Accepted { .. }, .. }) => break,
            Some(Event::Answered { answer, .. }) => return Err(format!("the day was refused: {answer:?}")),
            Some(_) => {}
            None => return Err("the engine stopped by itself".to_owned()),
        }
    }
    // The events are not read any further: an engine never waits for a face.
    drop(events);
    match errand.settles {
        true => engine.settled().await,
        false => engine.drained().await,
    }
    engine.leave(Leave::Now).await;
    Ok(())
}
