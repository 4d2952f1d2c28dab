//! Looking for a lost order at its service, once.
//!
//! Knows providers. Must not decide what was found means, nor when to look again: that is the core's.

use std::time::Duration;

use super::core::Input;
use super::shell::{Message, Tools};
use crate::domain::{AccountProfile, ErrorKind, JobId};
use crate::provider::{Intent, ServiceError};

/// A look may take this long. It is free, so it is simply taken again.
const LONGEST_LOOK: Duration = Duration::from_secs(60);

/// Looks for the order of an intent and reports.
pub(super) async fn find(tools: Tools, job: JobId, account: String, intent: Intent, profile: AccountProfile) {
    let Some(provider) = tools.providers.get(&account).cloned() else { return };
    let asked = tokio::time::timeout(LONGEST_LOOK, provider.find(&intent, &profile)).await;
    let late = || Err(ServiceError::new(ErrorKind::Unavailable, "no answer about a lost order within 60 s"));
    let repeatable = provider.repeatable(&profile).and_then(|span| span.try_into().ok());
    tools.settings.points.reach("find.answered", job);
    let result = asked.unwrap_or_else(|_| late());
    let _ = tools.messages.send(Message::Input(Box::new(Input::Evidence { job, result, repeatable })));
}
