//! What can go wrong, and where: service, step, fault. Which of these cells there are, and how often
//! each came true.
//!
//! Knows the table. Must not know what a fault does.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::Service;

/// The interfaces, each with its own evidence of lost orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wire {
    /// NinjaChat's old generation: an order whose answer is lost leaves no trace but money.
    NinjachatOld,
    /// Its new one: a record of the charge, and a repeat that is the same order for ten minutes.
    NinjachatNew,
    /// NanoGPT: a list of runs that may name our id, and a record of the charge.
    Nanogpt,
    /// A4F: the answer is the clip, and nothing is kept.
    A4f,
}

impl Wire {
    /// All of them.
    pub const ALL: [Wire; 4] = [Wire::NinjachatOld, Wire::NinjachatNew, Wire::Nanogpt, Wire::A4f];

    /// Whose it is.
    pub fn service(self) -> Service {
        match self {
            Wire::NinjachatOld | Wire::NinjachatNew => Service::Ninjachat,
            Wire::Nanogpt => Service::Nanogpt,
            Wire::A4f => Service::A4f,
        }
    }
}

/// A step of the work: a call, or the commit that follows from something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Commit: what a start makes of what is on disk.
    Start,
    /// Commit: jobs are queued.
    Queue,
    /// Call: where the account lives.
    Probe,
    /// Commit: what the probe found.
    Profile,
    /// An order is built. Nothing leaves the machine.
    Build,
    /// Commit: intent and reservation.
    Intent,
    /// Call: the paid order.
    Order,
    /// Commit: its answer.
    Answer,
    /// Call: how a job stands.
    Poll,
    /// Commit: what was said of it.
    Status,
    /// Call: the look for a lost order.
    Find,
    /// Commit: what was found.
    Verdict,
    /// Commit: that an order will be repeated.
    Mark,
    /// Call: the repeat.
    Repeat,
    /// Call: the clip.
    Download,
    /// Commit: the clip is on disk.
    Done,
    /// Call: what the account holds.
    Balance,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The program ends before the commit, or while the call is under way.
    CrashBefore,
    /// The program ends after the commit, before anything follows; of a download, once it is published.
    CrashAfter,
    /// The disk is full: nothing of the commit is kept at first; nothing of the clip is written.
    DiskFull,
    /// The disk is full, and the program ends before there is room.
    FullThenCrash,
    /// The wall clock is set back, by hours.
    ClockBack,
    /// The wall clock is set ahead, by hours.
    ClockAhead,
    /// No connection: nothing left.
    NotSent,
    /// The connection ends; an order was not taken.
    CutBefore,
    /// The connection ends; an order was taken, or some bytes of a clip came.
    CutAfter,
    /// The answer comes when others came long ago; an order's after a minute.
    Late,
    /// No answer in ten minutes.
    TooLate,
    /// A documented refusal for good.
    Refused,
    /// Too little money.
    NoMoney,
    /// The key is not taken.
    Unauthorized,
    /// Too many requests.
    Busy,
    /// A bare 5xx.
    Down,
    /// A web page.
    Html,
    /// An id that nobody knows; of a look, another order's.
    WrongId,
    /// The id of another order of ours.
    TakenId,
    /// Another price than the one that was set aside.
    Overcharge,
    /// An input is gone, or the wire cannot carry the order.
    Illegal,
    /// The service denies knowing the job, or its link is dead.
    Gone,
    /// A status word that nobody knows.
    StrangeWord,
    /// The service fails the job.
    Failed,
    /// A list or a record without the order, whether it was taken or not.
    Absent,
    /// Half a clip that calls itself whole.
    Short,
}

/// A cell of the table.
pub type Cell = (Wire, Step, Fault);

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wire::NinjachatOld => "ninjachat old",
            Wire::NinjachatNew => "ninjachat new",
            Wire::Nanogpt => "nanogpt",
            Wire::A4f => "a4f",
        })
    }
}

impl Step {
    const ALL: [Step; 17] = [
        Step::Start,
        Step::Queue,
        Step::Probe,
        Step::Profile,
        Step::Build,
        Step::Intent,
        Step::Order,
        Step::Answer,
        Step::Poll,
        Step::Status,
        Step::Find,
        Step::Verdict,
        Step::Mark,
        Step::Repeat,
        Step::Download,
        Step::Done,
        Step::Balance,
    ];

    /// Whether there is such a step at a service.
    fn is_at(self, wire: Wire) -> bool {
        match self {
            Step::Poll | Step::Status | Step::Balance => wire != Wire::A4f,
            Step::Mark | Step::Repeat => wire == Wire::NinjachatNew,
            _ => true,
        }
    }

    /// What can go wrong there.
    fn faults(self, wire: Wire) -> Vec<Fault> {
        use Fault::*;
        let by_id = wire != Wire::A4f;
        let some = |faults: &[(Fault, bool)]| faults.iter().filter(|(_, is)| *is).map(|(fault, _)| *fault).collect();
        let always = |faults: &[Fault]| faults.iter().map(|fault| (*fault, true)).collect::<Vec<_>>();
        let free = [NotSent, CutBefore, Late, Unauthorized, Busy, Down, Html, CrashBefore];
        match self {
            Step::Start | Step::Queue | Step::Profile | Step::Intent | Step::Answer => {
                some(&always(&[CrashBefore, CrashAfter, DiskFull, FullThenCrash, ClockBack, ClockAhead]))
            }
            Step::Status | Step::Verdict | Step::Mark | Step::Done => {
                some(&always(&[CrashBefore, CrashAfter, DiskFull, FullThenCrash, ClockBack, ClockAhead]))
            }
            Step::Probe | Step::Balance => free.to_vec(),
            Step::Build => vec![DiskFull, Illegal, Late, CrashBefore],
            Step::Order => {
                let mut faults = always(&free);
                faults.extend(always(&[CutAfter, CrashAfter, TooLate, Refused, NoMoney]));
                faults.extend([(WrongId, by_id), (TakenId, by_id), (Overcharge, by_id), (DiskFull, !by_id)]);
                some(&faults)
            }
            Step::Repeat => [&free[..], &[CutAfter, CrashAfter, TooLate, Refused, NoMoney]].concat(),
            Step::Poll => {
                let mut faults = always(&free);
                faults.extend(always(&[Gone, StrangeWord, Failed]));
                faults.push((Overcharge, wire == Wire::Nanogpt));
                some(&faults)
            }
            Step::Find => {
                let mut faults = always(&free);
                let has_trace = matches!(wire, Wire::NinjachatNew | Wire::Nanogpt);
                faults.extend([(Absent, has_trace), (WrongId, wire == Wire::Nanogpt)]);
                some(&faults)
            }
            Step::Download => {
                vec![NotSent, CutAfter, Late, Busy, Down, Html, Gone, Short, DiskFull, CrashBefore, CrashAfter]
            }
        }
    }
}

/// All cells.
pub fn cells() -> Vec<Cell> {
    let at = |wire: Wire| Step::ALL.into_iter().filter(move |step| step.is_at(wire)).map(move |step| (wire, step));
    let steps = Wire::ALL.into_iter().flat_map(at);
    steps.flat_map(|(wire, step)| step.faults(wire).into_iter().map(move |fault| (wire, step, fault))).collect()
}

/// What must happen before a cell can be reached.
pub(super) fn way_to((wire, step, fault): Cell, flip: bool) -> Vec<(Step, Fault)> {
    let lost = (Step::Order, if flip { Fault::CutAfter } else { Fault::CutBefore });
    let mut way = match step {
        Step::Start => vec![(Step::Answer, if flip { Fault::CrashBefore } else { Fault::CrashAfter })],
        Step::Find | Step::Verdict => vec![lost],
        Step::Mark | Step::Repeat => vec![lost, (Step::Find, Fault::Absent)],
        _ => Vec::new(),
    };
    if step == Step::Find && fault == Fault::WrongId {
        way = vec![(Step::Order, Fault::CutBefore)];
    }
    if wire == Wire::A4f && matches!(step, Step::Find | Step::Verdict) {
        way = vec![(Step::Order, Fault::Html)];
    }
    way.push((step, fault));
    way
}

/// How often each cell came true.
#[derive(Clone, Debug, Default)]
pub struct Coverage(pub BTreeMap<Cell, u64>);

impl Coverage {
    /// Counts one.
    pub(super) fn felt(&mut self, cell: Cell) {
        *self.0.entry(cell).or_default() += 1;
    }

    /// Adds another run's.
    pub fn add(&mut self, other: Coverage) {
        for (cell, n) in other.0 {
            *self.0.entry(cell).or_default() += n;
        }
    }

    /// The cells that came true less often than `least`, with how often they did.
    pub fn below(&self, least: u64) -> Vec<(Cell, u64)> {
        let times = |cell: &Cell| self.0.get(cell).copied().unwrap_or_default();
        cells().into_iter().map(|cell| (cell, times(&cell))).filter(|(_, n)| *n < least).collect()
    }
}
