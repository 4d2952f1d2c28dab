//! What the world makes of a download: the clip, each fault on its way, and the disk.
//!
//! Knows which clip an order made. Must not know what the core makes of it.

use super::Storm;
use super::book::Making;
use super::calls::error;
use super::cells::{Fault, Step as At};
use crate::domain::{ClipFile, ErrorKind, FileKind, Job};
use crate::engine::core::{DownloadError, Input};
use crate::provider::FetchError;

impl Storm {
    pub(super) fn download(&mut self, job: &Job, fault: Option<Fault>) {
        use Fault::*;
        let on_disk = self.published.get(&job.id).cloned();
        let by_link = !job.links.is_empty();
        let fault = fault.filter(|fault| {
            let of_network = matches!(fault, NotSent | CutAfter | Busy | Down | Html | Gone | Short);
            on_disk.is_none() && (by_link || !of_network)
        });
        fault.into_iter().for_each(|fault| self.felt(At::Download, fault));
        let lost = |error| Err(DownloadError::Fetch(error));
        let result = match fault {
            Some(CrashBefore) => return self.end(),
            Some(NotSent | CutAfter | Busy | Down | Gone) => {
                lost(FetchError::Service(self.trouble(fault.unwrap_or(Down))))
            }
            Some(Html | Short) => lost(FetchError::NotAClip("a page".into())),
            Some(DiskFull) => lost(FetchError::Disk(std::io::ErrorKind::StorageFull.into())),
            _ => self.clip(job, on_disk),
        };
        if let Ok(files) = &result {
            files.first().into_iter().for_each(|file| drop(self.published.insert(job.id, file.clone())));
        }
        if fault == Some(CrashAfter) {
            return self.end();
        }
        self.input(Some(At::Done), Input::Downloaded { job: job.id, result });
    }

    fn clip(&mut self, job: &Job, on_disk: Option<ClipFile>) -> Result<Vec<ClipFile>, DownloadError> {
        let file = |sha256: String, kind, extension: &str| ClipFile {
            path: format!("{}.{extension}", job.stem.as_deref().unwrap_or("without a name")),
            bytes: 9,
            sha256,
            kind,
            width: None,
            height: None,
            duration_ms: None,
        };
        if let Some(file) = on_disk {
            return Ok(vec![file]);
        }
        let not_a_clip = || DownloadError::Fetch(FetchError::NotAClip("no bytes of it are on disk".into()));
        let Some(link) = job.links.first() else {
            return match self.parts.get(&job.id).cloned() {
                Some((id, true)) => Ok(vec![file(id, FileKind::Video, "mp4")]),
                Some((id, false)) => {
                    let part = file(id, FileKind::Partial, "partial");
                    Err(DownloadError::Partial(vec![part], "cut".into(), "does not play".into()))
                }
                None => Err(not_a_clip()),
            };
        };
        let id = link.rsplit('/').next().unwrap_or_default().to_owned();
        match self.book.of_id(&id).map(|place| self.book.orders[place].making) {
            Some(Making::Finished) => Ok(vec![file(id, FileKind::Video, "mp4")]),
            _ => Err(DownloadError::Fetch(FetchError::Service(error(ErrorKind::Gone, Some(404))))),
        }
    }
}
