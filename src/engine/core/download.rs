//! From finished at the service to done on disk, and what happens when the last metre fails.
//!
//! Knows that done means published, checked and hashed. Must not know files or links.

use jiff::SignedDuration;

use super::adopt::PART;
use super::command::{accepted, refused};
use super::schedule::{delay, is_gone};
use super::{Core, DownloadError, Effect, Step};
use crate::domain::message::{Answer, Level};
use crate::domain::{ClipFile, ErrorKind, FileKind, Job, JobError, JobId, JobState, Money};
use crate::provider::FetchError;

/// First wait before a download is tried again.
const FIRST_WAIT: SignedDuration = SignedDuration::from_millis(500);

/// Downloads of a clip that may fail before it counts as lost; it is tried on all the same.
const TRIES: u32 = 3;

impl Core {
    pub(super) fn start_downloads(&mut self, step: &mut Step) {
        let now = self.now;
        let due: Vec<JobId> = self
            .work
            .iter()
            .filter(|(_, w)| !w.busy && w.due.is_some_and(|due| due <= now))
            .filter(|(id, _)| self.jobs.get(id).is_some_and(|job| job.state == JobState::Downloading))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let Some(job) = self.jobs.get(&id) else { continue };
            let profile = self.accounts.get(&job.request.account).and_then(|a| a.profile.clone());
            // Parts on disk need no account; links are fetched once the account's home is known.
            let Some(profile) = profile.or_else(|| job.links.is_empty().then(Default::default)) else { continue };
            step.effects.push(Effect::Download { job: Box::new(job.clone()), profile });
            self.work.entry(id).or_default().busy = true;
        }
    }

    /// The clip itself proves that its order was made, whatever became of the answer.
    pub(super) fn found(&mut self, id: JobId, step: &mut Step) {
        let Some(mut job) = self.jobs.get(&id).filter(|job| job.state == JobState::Unconfirmed).cloned() else {
            return;
        };
        if job.remote_id.is_some() || job.advance(JobState::Downloading, self.now).is_err() {
            return;
        }
        self.charge_reserved(&mut job, "found", step);
        job.error = None;
        job.links.clear();
        let text = "its whole clip is on disk: the order was made, and is booked".to_owned();
        self.tell(&job, "found", text, serde_json::Value::Null, step);
        self.work.entry(id).or_default().due = Some(self.now);
        self.put(job, step);
    }

    /// Keeps what a download can be taken up again with, also after a crash.
    pub(super) fn begun(&mut self, id: JobId, ordinal: u32, etag: Option<String>, step: &mut Step) {
        let Some(mut job) = self.jobs.get(&id).filter(|job| job.state == JobState::Downloading).cloned() else {
            return;
        };
        let before = job.validators.remove(&ordinal);
        if before != etag {
            job.validators.extend(etag.map(|etag| (ordinal, etag)));
            self.put(job, step);
        }
    }

    pub(super) fn downloaded(&mut self, id: JobId, result: Result<Vec<ClipFile>, DownloadError>, step: &mut Step) {
        if let Some(work) = self.work.get_mut(&id) {
            work.busy = false;
        }
        let Some(job) = self.jobs.get(&id).filter(|job| job.state == JobState::Downloading).cloned() else { return };
        match result {
            Ok(files) => self.done(job, files, step),
            Err(error) => self.lost(job, error, step),
        }
    }

    fn done(&mut self, mut job: Job, files: Vec<ClipFile>, step: &mut Step) {
        if job.reserved.is_some() {
            // The service never named a cost: what was set aside is booked, and the line says so.
            self.charge_reserved(&mut job, "assumed", step);
            let text = "the service named no cost; what was set aside is booked".to_owned();
            self.tell(&job, "assumed", text, serde_json::Value::Null, step);
        }
        job.files = files;
        job.validators.clear();
        job.error = None;
        job.gone = None;
        job.progress = None;
        if job.advance(JobState::Done, self.now).is_err() {
            return;
        }
        self.note_pace(&job, step);
        self.forget_losses(&job.request.account);
        let first = job.files.first();
        let file = first.map(|f| f.path.clone()).unwrap_or_default();
        let data = serde_json::json!({"files": job.files, "cost": job.cost.map(|c: Money| c.to_string())});
        self.tell(&job, "done", format!("on disk, checked and hashed: {file}"), data, step);
        self.put(job, step);
    }

    fn lost(&mut self, mut job: Job, error: DownloadError, step: &mut Step) {
        let work = self.work.entry(job.id).or_default();
        work.lost = work.lost.saturating_add(1);
        let lost = work.lost;
        let wait = delay(FIRST_WAIT, lost - 1, job.id.0.unsigned_abs());
        work.due = Some(self.now + wait);
        let text = match error {
            DownloadError::Partial(files, why, plays) => return self.cut(job, files, (&why, &plays), step),
            DownloadError::Fetch(FetchError::Disk(error)) => {
                let text = format!(
                    "cannot be written: {error}; free some space or mend the output directory, it is tried again by itself"
                );
                job.error = Some(JobError::new(ErrorKind::Disk, text.clone()));
                text
            }
            DownloadError::Fetch(FetchError::Service(error)) if error.kind == ErrorKind::Gone => {
                return self.fresh_link(job, &error.message, lost, step);
            }
            DownloadError::Fetch(FetchError::NotAClip(why)) => return self.fresh_link(job, &why, lost, step),
            DownloadError::Fetch(FetchError::Service(error)) => {
                job.error = Some(JobError::new(error.kind, error.message.clone()));
                if lost >= TRIES {
                    self.count_loss(&job, error.kind, &error.message, step);
                }
                error.message
            }
        };
        if lost.is_power_of_two() {
            self.tell(&job, "download_failed", format!("download {lost}: {text}"), serde_json::Value::Null, step);
            self.notice(Level::Warning, format!("{}: its clip is made and paid for, but {text}", job.id), step);
        }
        self.put(job, step);
    }

    /// The link is dead or leads to no clip: asks the service for a fresh one, where it can be asked.
    fn fresh_link(&mut self, mut job: Job, why: &str, lost: u32, step: &mut Step) {
        let text = format!("its link is no good ({why})");
        // Links die while nobody fetches; only one that is no good either, or the last one, tells of a loss.
        if lost > 1 || job.remote_id.is_none() {
            self.count_loss(&job, ErrorKind::Gone, &text, step);
        }
        job.error = Some(JobError::new(ErrorKind::Gone, text.clone()));
        if job.remote_id.is_some() && job.advance(JobState::Running, self.now).is_ok() {
            self.tell(
                &job,
                "download_failed",
                format!("{text}; the service is asked for a fresh one"),
                serde_json::Value::Null,
                step,
            );
        } else if job.remote_id.is_none()
            && job.links.is_empty()
            && job.advance(JobState::Unconfirmed, self.now).is_ok()
        {
            self.tell(
                &job,
                "unconfirmed",
                format!("what came is no clip ({why}); its bytes are kept"),
                serde_json::Value::Null,
                step,
            );
            self.notice(Level::Warning, format!("{}: what came is no clip ({why}); its bytes are kept", job.id), step);
        } else {
            // Nobody can be asked for another link: tried for as long as a denied job is asked about.
            let (count, since) = job.count_denial(self.now);
            if is_gone(count, self.now.duration_since(since)) && job.advance(JobState::Unconfirmed, self.now).is_ok() {
                let text = format!("gone: {text}, {count} times since {since}; it was paid for");
                self.tell(&job, "unconfirmed", text.clone(), serde_json::Value::Null, step);
                self.notice(Level::Warning, format!("{}: {text}", job.id), step);
            }
        }
        self.put(job, step);
    }

    /// The answer was cut: its bytes are kept, and nothing more will come.
    fn cut(&mut self, mut job: Job, files: Vec<ClipFile>, (why, plays): (&str, &str), step: &mut Step) {
        let text = format!("the clip came in part ({why}); {}", kept_at(&files, plays));
        job.error = Some(JobError::new(ErrorKind::Protocol, text.clone()));
        job.files = files;
        self.count_loss(&job, ErrorKind::Protocol, &text, step);
        if job.advance(JobState::Unconfirmed, self.now).is_ok() {
            self.tell(&job, "unconfirmed", text.clone(), serde_json::Value::Null, step);
            self.notice(Level::Warning, format!("{}: {text}", job.id), step);
            self.put(job, step);
        }
    }

    /// A part of the clip came with an answer that was lost: where it is, and whether it plays.
    pub(super) fn kept(&mut self, id: JobId, files: Vec<ClipFile>, plays: &str, step: &mut Step) {
        let lost = |job: &&Job| job.state == JobState::Unconfirmed && job.files.is_empty();
        let Some(mut job) = self.jobs.get(&id).filter(lost).cloned() else { return };
        let text = kept_at(&files, plays);
        let before = job.error.take().unwrap_or_else(|| JobError::new(ErrorKind::Protocol, ""));
        let message = format!("{text}. {}", before.message).trim_end_matches(['.', ' ']).to_owned();
        job.error = Some(JobError { message, ..before });
        self.tell(&job, "kept", text.clone(), serde_json::json!({"files": files}), step);
        self.notice(Level::Warning, format!("{id}: {text}"), step);
        job.files = files;
        self.put(job, step);
    }

    /// The user takes the part that came for the clip: the job is done with it, and the file says what it is.
    pub(super) fn adopt_part(&mut self, id: JobId, step: &mut Step) -> Answer {
        let Some(mut job) = self.jobs.get(&id).cloned() else {
            return refused("id", "unknown", format!("there is no job {id}"));
        };
        let Some(part) = part_of(&job.files).cloned() else {
            return refused("id", "state", format!("no part of the clip of {id} is kept; name its order instead"));
        };
        if self.work.get(&id).is_some_and(|work| work.repeating)
            || job.advance(JobState::Downloading, self.now).is_err()
        {
            return refused("id", "state", format!("{id} is being asked about just now; try again in a moment"));
        }
        self.charge_reserved(&mut job, "part", step);
        (job.error, job.gone, job.progress) = (None, None, None);
        if job.advance(JobState::Done, self.now).is_ok() {
            let text = format!("done at your word with the part that came, {} bytes: {}", part.bytes, part.path);
            let data = serde_json::json!({"files": job.files, "cost": job.cost.map(|c: Money| c.to_string())});
            self.tell(&job, "adopted", text, data, step);
            self.put(job, step);
        }
        accepted(vec![id])
    }
}

/// The first clip that is not whole.
fn part_of(files: &[ClipFile]) -> Option<&ClipFile> {
    files.iter().find(|file| file.kind == FileKind::Partial)
}

/// Where a part is, whether it plays, what came whole beside it, and what can be done with it.
fn kept_at(files: &[ClipFile], plays: &str) -> String {
    let (bytes, path) = part_of(files).map_or((0, ""), |part| (part.bytes, &part.path));
    let others: Vec<&str> = files.iter().map(|file| file.path.as_str()).filter(|other| *other != path).collect();
    let beside = if others.is_empty() { String::new() } else { format!(", beside {}", others.join(" and ")) };
    format!(
        "{bytes} bytes of the clip are kept at {path}: {plays}{beside}. Adopt `{PART}` takes them for the clip, a retry orders it anew"
    )
}
