//! The terminal face: one loop between terminal, app and engine.
//!
//! Knows app, the engine's handle, config and domain; never HTTP, files or job rules. Nothing here waits for the
//! terminal: bytes leave through a thread of their own, and while they are stuck no frame is drawn.

mod away;
pub mod beside;
pub mod decode;
pub mod editor;
pub mod frame;
pub mod input;
pub mod leave;
pub mod links;
mod opening;
pub mod options;
pub mod output;
pub mod pen;
pub mod signals;
pub mod terminal;
pub mod theme;
pub mod view;

use std::time::{Duration, Instant};

use crossterm::event::{Event as TerminalEvent, KeyEventKind, MouseEventKind};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;

use self::beside::Beside;
use self::frame::{Canvas, FrameClock};
use self::input::{Inputs, Typed};
use self::output::Output;
use self::signals::{Caught, Signals};
use self::terminal::Session;
use self::theme::{ColorDepth, Glyphs, Styles, Theme};
use crate::app::{App, AppOptions, Dirty, Effect, Input, Key, QuitHow};
use crate::config::ThemeChanged;
use crate::domain::message::Level;
use crate::domain::{Event, Notice};
use crate::engine::{Commands, Events};

pub use self::editor::Scratch;
pub use self::leave::leave;
pub use self::options::Options;
pub use self::output::say;
pub use self::signals::Stops;
pub use self::terminal::{TerminalError, check};

/// Most engine events taken in one turn of the loop.
const MAX_EVENTS: usize = 256;
/// Writes that may fail in a row before the terminal counts as gone.
const MAX_FAILURES: u32 = 3;
/// The least time between two sizes taken over.
const RESIZE: Duration = Duration::from_millis(40);
/// How long the first frame waits for the engine's snapshot.
const SNAPSHOT: Duration = Duration::from_millis(40);
/// How long a stop may take to happen.
const STOP: Duration = Duration::from_millis(300);
/// The least and the most that is waited for the app's own clock.
const TICK: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(60));

/// How the dashboard ended. The terminal is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The user left.
    Quit(QuitHow),
    /// A signal with this number came; the exit code is 128 more.
    Signal(i32),
    /// The terminal is gone without a signal: as if `SIGHUP` had come.
    TerminalGone,
}

/// Runs the dashboard until it ends. To be awaited where nothing else waits for it, such as `main`. `stops`
/// is the one listener of the process: what it caught while the engine started counts.
///
/// # Errors
/// When there is no terminal to run in.
pub async fn run(
    commands: Commands,
    events: Events,
    options: Options,
    stops: &mut Stops,
) -> Result<Ended, TerminalError> {
    if let Some(number) = stops.caught().await {
        return Ok(Ended::Signal(number));
    }
    // Before the first byte: a signal from here on finds someone who gives the terminal back.
    let mut signals = Signals::listen(stops)?;
    let output = Output::start()?;
    let session = Session::enter(options.beside.mouse, options.log)?;
    let mut inputs = Inputs::spawn()?;
    crossterm::style::force_color_output(true);

    let (cols, rows) = terminal::size();
    let mut face = Face {
        app: App::new(Timestamp::now(), AppOptions { cols, rows, ..options.app }),
        styles: options.styles,
        beside: options.beside,
        look: options.look,
        themes: options.themes,
        open_command: options.open_command,
        commands,
        events: Some(events),
        canvas: Canvas::new(cols, rows),
        clock: FrameClock::default(),
        waiting: session.opening(),
        output,
        session,
        failures: 0,
        editor: options.editor,
        scratch: options.scratch,
        to_edit: None,
        suspended: false,
        resized: None,
        resize_due: None,
        ended: None,
    };
    // The first frame is a whole one, unless the engine is slow.
    if let Ok(event) = tokio::time::timeout(SNAPSHOT, next(&mut face.events)).await {
        face.event(event);
    }
    face.take_events();
    face.clock.want(Dirty::Now);

    loop {
        if face.suspended {
            face.suspended = false;
            // Where a stop is not possible (the first process of a container), life goes on after a moment.
            match tokio::time::timeout(STOP, signals.next()).await {
                Ok(Caught::Stop(number)) => face.end(Ended::Signal(number)),
                Ok(_) | Err(_) => face.resume(),
            }
        }
        if let Some(text) = face.to_edit.take() {
            // What is typed from now on is the editor's.
            drop(inputs);
            face.edit(&text, &mut signals).await;
            inputs = Inputs::spawn()?;
        }
        if let Some(ended) = face.ended {
            // First of all, so that what is typed from now on is left to the shell.
            drop(inputs);
            return Ok(ended);
        }
        let due = face.draw();
        let tick = face.tick();
        tokio::select! {
            biased;
            caught = signals.next() => face.signal(caught),
            written = face.output.written(), if face.output.is_busy() => face.written(written),
            typed = inputs.next() => face.typed(typed),
            () = until(due), if due.is_some() => {}
            () = until(face.resize_due), if face.resize_due.is_some() => face.resize(),
            event = next(&mut face.events) => face.event(event),
            told = next_theme(&mut face.themes) => face.theme(told),
            () = until(tick), if tick.is_some() => face.perform_tick(),
            // Last of all: what is typed or told comes before the next step of a search.
            () = tokio::task::yield_now(), if face.app.is_searching() => face.app.search_on(),
        }
        // Whatever woke us: some of everything, so that neither a flood of keys nor one of events starves the other.
        for _ in 0..input::MAX_BATCH {
            let Some(typed) = inputs.try_next() else { break };
            face.typed(typed);
        }
        face.take_events();
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

async fn next(events: &mut Option<Events>) -> Option<Event> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

async fn next_theme(themes: &mut Option<UnboundedReceiver<ThemeChanged>>) -> Option<ThemeChanged> {
    match themes {
        Some(themes) => themes.recv().await,
        None => std::future::pending().await,
    }
}

/// Everything the loop turns over.
struct Face {
    app: App,
    styles: Styles,
    beside: Beside,
    look: (ColorDepth, Glyphs),
    /// `None` where no theme may change.
    themes: Option<UnboundedReceiver<ThemeChanged>>,
    /// What opens a clip, word by word.
    open_command: Vec<String>,
    commands: Commands,
    /// `None` once the engine has ended.
    events: Option<Events>,
    canvas: Canvas,
    clock: FrameClock,
    /// Bytes to be written before the next frame.
    waiting: Vec<u8>,
    output: Output,
    session: Session,
    failures: u32,
    editor: String,
    scratch: Option<Scratch>,
    /// The text that is to go to the user's editor.
    to_edit: Option<String>,
    /// The process is about to be stopped, or was just continued.
    suspended: bool,
    /// When the size was taken last, and when it is to be taken next.
    resized: Option<Instant>,
    resize_due: Option<Instant>,
    ended: Option<Ended>,
}

impl Face {
    fn typed(&mut self, typed: Typed) {
        let input = match typed {
            Typed::Gone => return self.end(Ended::TerminalGone),
            Typed::Event(TerminalEvent::Key(key)) if key.kind != KeyEventKind::Release => {
                #[cfg(feature = "loopback-only")]
                provoke(&key);
                Input::Key(Key::new(key.code, key.modifiers))
            }
            Typed::Event(TerminalEvent::Paste(text)) => Input::Paste(text),
            Typed::Event(TerminalEvent::FocusGained) => Input::FocusGained,
            Typed::Event(TerminalEvent::FocusLost) => Input::FocusLost,
            Typed::Event(TerminalEvent::Mouse(mouse)) if self.beside.mouse => {
                let (x, y) = (mouse.column, mouse.row);
                match mouse.kind {
                    MouseEventKind::Down(_) => Input::Click { x, y },
                    MouseEventKind::ScrollUp => Input::Wheel { x, y, down: false },
                    MouseEventKind::ScrollDown => Input::Wheel { x, y, down: true },
                    _ => return,
                }
            }
            Typed::Event(_) => return,
        };
        self.input(input);
    }

    fn input(&mut self, input: Input) {
        let effects = self.app.on_input(input, Timestamp::now());
        self.perform(effects);
    }

    fn event(&mut self, event: Option<Event>) {
        match event {
            Some(event) => {
                if matches!(event, Event::Snapshot(_)) {
                    self.clock.want(Dirty::Now);
                }
                let effects = self.app.on_event(event, Timestamp::now());
                self.perform(effects);
            }
            None => self.events = None,
        }
    }

    /// Takes the theme as it is now; a broken one changes nothing but is told.
    fn theme(&mut self, told: Option<ThemeChanged>) {
        let Some(ThemeChanged { name, file, text }) = told else {
            self.themes = None;
            return;
        };
        let theme = text.map_or_else(|| Theme::built_in(&name), |text| Theme::parse(&text));
        let theme = theme.map_err(|error| format!("{}: {error}", error.place(&file)));
        match theme {
            Ok(theme) => {
                self.styles = Styles::new(&theme, self.look.0, self.look.1);
                self.clock.want(Dirty::Now);
            }
            Err(why) => self.tell(Level::Warning, format!("{why}; the look stays as it is")),
        }
    }

    fn take_events(&mut self) {
        for _ in 0..MAX_EVENTS {
            let Some(event) = self.events.as_mut().and_then(Events::try_next) else { break };
            self.event(Some(event));
        }
    }

    /// When the app wants its clock, if it does.
    fn tick(&self) -> Option<Instant> {
        let now = Timestamp::now();
        let wait = self.app.next_tick(now)?.duration_since(now);
        Some(Instant::now() + Duration::try_from(wait).unwrap_or_default().clamp(TICK.0, TICK.1))
    }

    fn perform_tick(&mut self) {
        let effects = self.app.on_tick(Timestamp::now());
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { ticket, command } => self.commands.send(ticket, command),
                Effect::Copy(text) => {
                    self.waiting.extend(self.beside.copy(&text));
                    self.clock.want(Dirty::Now);
                }
                Effect::Call(sentence) => {
                    self.waiting.extend(self.beside.call(&sentence));
                    self.clock.want(Dirty::Now);
                }
                Effect::Edit(text) => self.to_edit = Some(text),
                Effect::Open(path) => {
                    if let Err(text) = opening::open(&self.open_command, &path) {
                        self.event(Some(Event::Noticed(Notice { at: Timestamp::now(), level: Level::Error, text })));
                    }
                }
                Effect::Repaint => self.repaint(),
                Effect::Suspend => self.suspend(),
                Effect::Quit(how) => self.end(Ended::Quit(how)),
            }
        }
    }

    fn tell(&mut self, level: Level, text: String) {
        self.event(Some(Event::Noticed(Notice { at: Timestamp::now(), level, text })));
    }

    fn resize(&mut self) {
        self.resize_due = None;
        self.resized = Some(Instant::now());
        let (cols, rows) = terminal::size();
        self.canvas.resize(cols, rows);
        self.input(Input::Resize { cols, rows });
        self.clock.want(Dirty::Now);
    }

    fn repaint(&mut self) {
        self.canvas.forget();
        self.clock.want(Dirty::Now);
    }

    /// Draws if a frame is due and the last one is out; when the next one is due, if that is known.
    fn draw(&mut self) -> Option<Instant> {
        self.clock.set_pause(self.app.thrift().pause());
        self.clock.want(self.app.take_dirty());
        let now = Instant::now();
        let due = self.clock.due(now)?;
        if self.output.is_busy() {
            return None;
        }
        if due > now {
            return Some(due);
        }
        let (app, styles) = (&self.app, &self.styles);
        let texts = if self.beside.links { app.places() } else { Vec::new() };
        let render = |area, buffer: &mut _| view::render(app, styles, area, buffer);
        let frame = self.canvas.frame_with(render, |buffer| links::find(buffer, &texts, &self.beside.host));
        self.clock.drawn(now);
        let mut bytes = std::mem::take(&mut self.waiting);
        bytes.extend(frame.unwrap_or_default());
        if !bytes.is_empty() {
            self.output.write(bytes);
        }
        None
    }

    fn written(&mut self, result: std::io::Result<()>) {
        match result {
            Ok(()) => self.failures = 0,
            Err(error) if output::is_gone(&error) => self.end(Ended::TerminalGone),
            Err(error) => {
                tracing::warn!("a frame could not be written: {error}");
                self.failures += 1;
                if self.failures >= MAX_FAILURES {
                    return self.end(Ended::TerminalGone);
                }
                // Nobody knows how much of it arrived.
                self.waiting = self.session.opening();
                self.repaint();
            }
        }
    }

    fn end(&mut self, ended: Ended) {
        self.ended.get_or_insert(ended);
    }
}

/// In test builds a key that fails on purpose, so that a test sees what a panic leaves behind.
#[cfg(feature = "loopback-only")]
fn provoke(key: &crossterm::event::KeyEvent) {
    use crossterm::event::KeyCode;
    if key.code == KeyCode::F(12) && std::env::var_os("RUSHES_TEST_PANIC").is_some() {
        panic!("provoked by F12");
    }
}
