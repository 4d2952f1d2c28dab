//! The command line as typed.
//!
//! Knows flags and verbs. Must not know what a verb does.

mod books;
mod jobs;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

pub use books::{Books, BooksVerb, Claims, Classify};
pub use jobs::{Adopt, Ids, Move, Release, Retry, Tag, WriteOff};

use crate::config::{Color, Globals};
use crate::domain::{Currency, JobId, JobState, Money, Service};

/// What was typed: the global flags, and a verb or none for the dashboard.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The global flags.
    pub globals: Globals,
    /// Whether the dashboard is to be lines of text instead of a screen.
    pub plain: bool,
    /// The verb; `None` opens the dashboard.
    pub verb: Option<Verb>,
}

#[derive(Debug, Parser)]
#[command(
    name = "rushes",
    version,
    about = "Make many AI video clips at NinjaChat, NanoGPT and A4F, and lose none of them",
    after_help = "Without a verb the dashboard opens. One of NINJACHAT_API_KEY, NANOGPT_API_KEY or A4F_API_KEY is \
                  enough to start; without any, the dashboard shows the simulator.\n\n\
                  Exit codes: 0 all done; 1 some job failed or is unconfirmed; 2 usage, configuration, or another \
                  engine has the data directory; 128+n ended by signal n.",
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Line {
    #[command(flatten)]
    globals: GlobalArgs,
    /// Without a verb: tell what happens as lines on standard output, for screen readers, dumb terminals and logs.
    /// Ctrl-C leaves. Queue with `rushes add` beforehand
    #[arg(long)]
    plain: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
struct GlobalArgs {
    /// Read this config file instead of $XDG_CONFIG_HOME/rushes/config.toml
    #[arg(long, value_name = "FILE", global = true, help_heading = "Everywhere")]
    config: Option<PathBuf>,
    /// Keep jobs, books and inputs here
    #[arg(long, value_name = "DIR", global = true, help_heading = "Everywhere")]
    data_dir: Option<PathBuf>,
    /// Put clips here
    #[arg(long, value_name = "DIR", global = true, help_heading = "Everywhere")]
    output_dir: Option<PathBuf>,
    /// Use the embedded simulator instead of the services; costs nothing
    #[arg(long, global = true, help_heading = "Everywhere")]
    sim: bool,
    /// When to use colour: auto, always, never, 16, 256 or true
    #[arg(long, value_name = "WHEN", global = true, help_heading = "Everywhere")]
    color: Option<Color>,
    /// Say more on standard error; twice for still more
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Everywhere")]
    verbose: u8,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Import batches, then work the queue without a screen until nothing can go on
    Run(Run),
    /// Queue jobs: batch files, or one request by flags. Nothing is sent before `run` or the dashboard
    Add(Box<Add>),
    /// List jobs
    List(List),
    /// Show a job, whole, with its history
    Show(Show),
    /// Tell what happened to a job, in sentences: sent, answered, why not sent again, and its money
    Explain(Show),
    /// Take back jobs that were not sent yet
    Cancel(Ids),
    /// Queue new jobs like these, each at its own price
    Retry(Retry),
    /// Queue each of these jobs once more as it was, at its own price
    Duplicate(Ids),
    /// Move queued jobs within their accounts' queues
    Move(Move),
    /// Give jobs labels, or take some off
    Tag(Tag),
    /// Let held jobs go on
    Release(Release),
    /// Hide jobs that were sent; they are still polled, downloaded and booked
    Abandon(Ids),
    /// Go on with an unconfirmed job as this order of its service, once one status request confirms it
    Adopt(Adopt),
    /// Give unconfirmed jobs up: what is set aside is free again, and may still have been charged
    WriteOff(WriteOff),
    /// Let an account go on that pauses until you say so, as after three paid orders without a clip
    Resume(Resume),
    /// List the models your accounts offer, with limits and prices
    Models(Models),
    /// Ask every account what it holds
    Balance(Json),
    /// Show each account's books: reserved, charged, refunded, deposits, other use, and what nothing explains
    Books(Books),
    /// Write the report that a service's support asks for: what was charged or lost, with ids and UTC times
    Claims(Claims),
    /// Run the simulated services for other programs
    Sim(Sim),
    /// Prove that a crash buys nothing twice and loses nothing: a simulated day, killed at every step
    Torture(Torture),
    /// The process that `torture` kills
    #[command(hide = true)]
    TortureWorker {
        /// What it is to do
        errand: PathBuf,
    },
    /// Check configuration, keys, directories, disk, lock and terminal
    Doctor(Json),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// `resume`
#[derive(Args, Clone, Debug)]
pub struct Resume {
    /// The account's name, as `rushes balance` shows it
    pub account: String,
}

/// `run`
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "It ends when every job is done, failed, held or unconfirmed. A job whose order's answer was lost is looked for \
at once and again after 10 seconds; what is not settled then stays unconfirmed, makes the exit code 1 and is looked for on at the next start. \
A signal stops new orders and waits for answers and downloads; a second one leaves at once."
)]
pub struct Run {
    /// Batch files, JSONL or CSV; `-` is standard input
    pub files: Vec<PathBuf>,
    /// Print one JSON line an event on standard output
    #[arg(long)]
    pub json: bool,
    /// How batch files are imported.
    #[command(flatten)]
    pub import: Import,
}

/// How batch files are imported.
#[derive(Args, Clone, Debug, Default)]
pub struct Import {
    /// Queue the good rows of a file that has bad ones
    #[arg(long)]
    pub skip_bad: bool,
    /// Buy again what was bought before
    #[arg(long)]
    pub again: bool,
    /// The most a clip of unknown price may cost; without it such jobs are held
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub ceiling: Option<Money>,
    /// The most the batch may cost in all; kept with it. Giving its file again with another cap changes it
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub cap: Option<Money>,
    /// The most jobs of the batch that may be ordered
    #[arg(long, value_name = "N")]
    pub cap_jobs: Option<u32>,
    /// Make pictures that are too large for their service smaller; without it they are refused
    #[arg(long)]
    pub shrink_images: bool,
}

/// `add`
#[derive(Args, Clone, Debug)]
pub struct Add {
    /// Batch files, JSONL or CSV; `-` is standard input
    #[arg(conflicts_with_all = ["model", "prompt"], required_unless_present = "model")]
    pub files: Vec<PathBuf>,
    /// The model, as account/model-id
    #[arg(long, short)]
    pub model: Option<String>,
    /// What the clip shall show
    #[arg(long, short)]
    pub prompt: Option<String>,
    /// Length in seconds
    #[arg(long)]
    pub duration: Option<String>,
    /// Such as 16:9
    #[arg(long)]
    pub aspect_ratio: Option<String>,
    /// Such as 1080p
    #[arg(long)]
    pub resolution: Option<String>,
    /// First picture: a link or a file
    #[arg(long)]
    pub image: Option<String>,
    /// Last picture: a link or a file
    #[arg(long)]
    pub end_image: Option<String>,
    /// Source video: a link or a file
    #[arg(long)]
    pub video: Option<String>,
    /// With sound (true), or a sound file where the model takes one
    #[arg(long)]
    pub audio: Option<String>,
    /// For the same clip again, where the model knows how
    #[arg(long)]
    pub seed: Option<String>,
    /// What the clip shall not show
    #[arg(long)]
    pub negative_prompt: Option<String>,
    /// Any other parameter of the model
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    pub params: Vec<(String, String)>,
    /// How many clips
    #[arg(long)]
    pub copies: Option<u32>,
    /// A label; may be given more than once
    #[arg(long = "tag")]
    pub tags: Vec<String>,
    /// The key that makes this request known again, so that it is bought once
    #[arg(long)]
    pub key: Option<String>,
    /// Print what was queued as JSON
    #[arg(long)]
    pub json: bool,
    /// How batch files are imported.
    #[command(flatten)]
    pub import: Import,
}

/// `list`
#[derive(Args, Clone, Debug)]
pub struct List {
    /// Print one JSON line a job
    #[arg(long)]
    pub json: bool,
    /// Only jobs in this state; may be given more than once
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<JobState>,
    /// Only jobs of this account
    #[arg(long)]
    pub account: Option<String>,
    /// Only jobs with this label
    #[arg(long)]
    pub tag: Option<String>,
    /// At most so many, the newest
    #[arg(long)]
    pub limit: Option<u32>,
}

/// `show`
#[derive(Args, Clone, Debug)]
pub struct Show {
    /// The job, such as j-12
    pub id: JobId,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `models`
#[derive(Args, Clone, Debug)]
pub struct Models {
    /// Only models whose name, maker or use has these words; a full name tells that model whole
    pub filter: Vec<String>,
    /// Ask the services now what they offer, and print what changed; free
    #[arg(long, conflicts_with = "changes")]
    pub refresh: bool,
    /// Print what changed last, instead of the models
    #[arg(long)]
    pub changes: bool,
    /// Print one JSON line a model
    #[arg(long)]
    pub json: bool,
}

/// Verbs that only print.
#[derive(Args, Clone, Debug)]
pub struct Json {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `sim`
#[derive(Args, Clone, Debug)]
pub struct Sim {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// How many times faster than ours its clock runs
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// Draw tiny clips
    #[arg(long)]
    pub cheap_clips: bool,
    /// Draw clips in the ordered resolution
    #[arg(long)]
    pub full_size: bool,
    /// Ids, speeds and pictures follow from it
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Which of its two APIs NinjaChat speaks
    #[arg(long, value_enum, default_value_t = Generation::Old)]
    pub ninjachat: Generation,
    /// Set a switch of the list below from the start; may be given more than once
    #[arg(long, value_name = "[SERVICE.]NAME=VALUE", value_parser = switch)]
    pub variant: Vec<Switch>,
}

/// A switch of the simulator: `nanogpt.refunds=never`, or `encoding=gzip` for every service that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The service's word; none means all that have it.
    pub service: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it shall stand.
    pub value: String,
}

fn switch(text: &str) -> Result<Switch, String> {
    let (place, value) = text.split_once('=').ok_or("a switch is set as NAME=VALUE or SERVICE.NAME=VALUE")?;
    let (service, name) = place.split_once('.').map_or((None, place), |(service, name)| (Some(service), name));
    Ok(Switch { service: service.map(str::to_owned), name: name.to_owned(), value: value.to_owned() })
}

/// NinjaChat's APIs: the one of the documents, and the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Generation {
    /// `/api/v1/video`
    Old,
    /// `/api/v1/videos`
    New,
}

/// `torture`
#[derive(Args, Clone, Debug)]
pub struct Torture {
    /// How many kills, spread over services and steps
    #[arg(long, default_value_t = 300)]
    pub kills: usize,
    /// Which points are chosen, and what the simulator draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Only this service's day: ninjachat, nanogpt or a4f; may be given more than once
    #[arg(long, value_name = "SERVICE")]
    pub service: Vec<Service>,
    /// A shorter day, without what only waits
    #[arg(long)]
    pub brief: bool,
    /// Kill the engine that goes on after a kill, too, soon after its start
    #[arg(long)]
    pub twice: bool,
}

fn dollars(text: &str) -> Result<Money, String> {
    match Money::parse(text, Currency::Usd) {
        Ok(money) if money.amount.is_sign_positive() => Ok(money),
        _ => Err(format!("`{text}` is no amount of dollars; write for example 2.50")),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not NAME=VALUE")),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(speed),
        _ => Err(format!("`{text}` is no speed; it takes a number above 0")),
    }
}

/// The whole command, for parsing, completions and the manual; `sim_help` is what the simulator says
/// of itself.
pub fn command(sim_help: &'static str) -> clap::Command {
    Line::command().mut_subcommand("sim", |sim| sim.after_help(sim_help))
}

/// Reads the command line. Help and mistakes are clap's to print; mistakes exit 2.
///
/// # Errors
/// What clap has to say instead.
pub fn parse(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    sim_help: &'static str,
) -> Result<Parsed, clap::Error> {
    let matches = command(sim_help).try_get_matches_from(args)?;
    let line = Line::from_arg_matches(&matches)?;
    let GlobalArgs { config, data_dir, output_dir, sim, color, verbose } = line.globals;
    Ok(Parsed {
        globals: Globals { config, data_dir, output_dir, sim, color, verbose },
        plain: line.plain,
        verb: line.verb,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Parsed {
        parse(line.split(' '), "the simulator").unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn the_command_contradicts_nothing_of_itself() {
        command("x").debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_verb() {
        let before = parsed("rushes --sim --data-dir d --color never -vv list --json");
        let after = parsed("rushes list --json --sim --data-dir d --color never -vv");
        assert_eq!(before.globals, after.globals);
        assert!(before.globals.sim && before.globals.verbose == 2);
        assert_eq!(before.globals.color, Some(Color::Never));
        assert!(parsed("rushes").verb.is_none());
    }

    #[test]
    fn every_verb_of_the_contract_is_there() {
        for line in [
            "rushes run a.jsonl b.csv --json --skip-bad --again",
            "rushes add a.jsonl",
            "rushes add --model ninjachat/veo-3.1 --prompt x --duration 6 --param fps=24 --copies 2",
            "rushes list --json --state done,failed --account ninjachat",
            "rushes show j-12 --json",
            "rushes cancel j-1 2",
            "rushes retry j-1 --may-pay-twice",
            "rushes abandon j-1",
            "rushes adopt j-1 vid_0001",
            "rushes write-off j-1 2 --yes",
            "rushes resume ninjachat",
            "rushes models --json veo",
            "rushes models --refresh --json",
            "rushes models --changes",
            "rushes balance --json",
            "rushes books --json",
            "rushes explain j-12 --json",
            "rushes claims --account ninjachat --json",
            "rushes books --around u-3 --account ninjachat",
            "rushes books classify u-3 deposit",
            "rushes books classify u-3 refund --job j-12 --sim",
            "rushes sim --port 9000 --speed 10",
            "rushes sim --ninjachat new --variant nanogpt.refunds=never --variant encoding=gzip",
            "rushes doctor",
            "rushes torture --kills 300 --seed 7 --json --service a4f",
            "rushes completions bash",
            "rushes man",
        ] {
            assert!(parsed(line).verb.is_some(), "{line}");
        }
    }

    #[test]
    fn mistakes_are_refused_with_code_2() {
        for line in [
            "rushes nonsense",
            "rushes show 0",
            "rushes add",
            "rushes add a.jsonl --model x/y",
            "rushes list --state finished",
            "rushes sim --speed 0",
            "rushes sim --ninjachat newest",
            "rushes sim --variant refunds",
            "rushes add --model x/y --prompt z --ceiling lots",
            "rushes --color blue",
        ] {
            assert_eq!(parse(line.split(' '), "").err().map(|error| error.exit_code()), Some(2), "{line}");
        }
        let help = parse(["rushes", "sim", "--help"], "the simulator says this").unwrap_err();
        assert!(help.exit_code() == 0 && help.to_string().contains("the simulator says this"));
    }
}
