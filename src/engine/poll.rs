//! The one concurrent polling task: takes what is due from the core, asks all services at once and
//! reports over the engine's channel.
//!
//! Knows providers. Must not decide when to poll again: that is the core's.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::core::Input;
use super::shell::Tools;
use crate::domain::{AccountProfile, ErrorKind, JobId};
use crate::provider::{RemoteJob, ServiceError};

/// A poll may take this long before it counts as failed. It is free, so it is simply asked again.
const LONGEST_POLL: std::time::Duration = std::time::Duration::from_secs(60);

/// One job to ask about.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) job: JobId,
    pub(super) account: String,
    pub(super) remote: RemoteJob,
    pub(super) profile: AccountProfile,
}

/// Runs until the engine drops its end; polls under way are dropped with it.
pub(super) async fn run(tools: Tools, mut due: mpsc::UnboundedReceiver<Due>) {
    let mut polls = JoinSet::new();
    loop {
        tokio::select! {
            next = due.recv() => {
                let Some(Due { job, account, remote, profile }) = next else { return };
                let Some(provider) = tools.providers.get(&account).cloned() else { continue };
                let points = tools.settings.points.clone();
                polls.spawn(async move {
                    // A task of its own: one answer that trips us up must not leave its job unasked for good.
                    let asking = tokio::spawn(async move {
                        tokio::time::timeout(LONGEST_POLL, provider.poll(&remote, &profile)).await
                    });
                    let failed = |text: &str| Err(ServiceError::new(ErrorKind::Unavailable, text));
                    let result = match asking.await {
                        Ok(Ok(asked)) => asked,
                        Ok(Err(_)) => failed("no answer to a status request within 60 s"),
                        Err(_) => failed("its answer to a status request could not be read; report this"),
                    };
                    points.reach("poll.answered", job);
                    Input::Polled { job, result }
                });
            }
            Some(polled) = polls.join_next() => {
                let Ok(input) = polled else { continue };
                if tools.messages.send(input.into()).is_err() {
                    return;
                }
            }
        }
    }
}
