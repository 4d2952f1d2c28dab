//! What the core wants done, begun: each effect a task of its own that reports back when it ends.
//!
//! Knows providers and tasks. Must not decide anything, nor commit: whoever calls has done so.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::core::{DownloadError, Effect, Input};
use super::poll::Due;
use super::shell::{Message, Shell};
use super::{download, resolve, submit};
use crate::domain::{ErrorKind, JobId};
use crate::provider::{FetchError, Provider, ServiceError, SubmitAnswer};

/// A free call about an account may take this long, however busily its answer drips. It is asked again.
pub(super) const LONGEST_CALL: Duration = Duration::from_secs(60);

impl Shell {
    pub(super) fn begin_effect(&mut self, effect: Effect) {
        let tools = self.tools.clone();
        match effect {
            Effect::Probe { account } => {
                self.call(account, |provider, account, most| async move {
                    let asked = within(most, "answer that says where it lives", async move { provider.probe().await });
                    Input::Probed { result: asked.await, account }
                });
            }
            Effect::Balance { account, profile } => {
                self.call(account, |provider, account, most| async move {
                    let asked = within(most, "balance", async move { provider.balance(&profile).await });
                    Input::Balanced { result: asked.await, account }
                });
            }
            Effect::Discover { account, profile } => {
                self.call(account, |provider, account, most| async move {
                    let asked = within(most, "list of models", async move { provider.discover(&profile).await });
                    Input::Discovered { result: asked.await, account }
                });
            }
            Effect::Prepare { job, model, profile } => {
                tokio::spawn(submit::prepare(tools, job, model, profile));
            }
            Effect::Submit { job, until } => {
                let now = self.clock.now();
                let left = until.map(|until| Duration::try_from(until.duration_since(now)).unwrap_or_default());
                self.send(job, left);
            }
            Effect::Discard { job } => drop(self.built.remove(&job)),
            Effect::Poll { job, account, remote, profile } => {
                if let Some(polls) = &self.polls {
                    // A closed channel means that the task is gone with the engine.
                    let _ = polls.send(Due { job, account, remote, profile });
                }
            }
            Effect::Find { job, account, intent, profile } => {
                let messages = tools.messages.clone();
                watched(resolve::find(tools, job, account, intent, profile), messages, move || Input::Evidence {
                    job,
                    result: Err(broken("what was found of the order")),
                    repeatable: None,
                });
            }
            Effect::Download { job, profile } => {
                let (id, messages) = (job.id, tools.messages.clone());
                watched(download::run(tools, job, profile), messages, move || Input::Downloaded {
                    job: id,
                    result: Err(DownloadError::Fetch(FetchError::Service(broken("the clip")))),
                });
            }
        }
    }

    /// Sends what was built, unless that would be later than `left` from now.
    fn send(&mut self, job: JobId, left: Option<Duration>) {
        match (self.built.remove(&job), self.core.job(job)) {
            (Some(request), Some(job)) => {
                let (id, messages) = (job.id, self.tools.messages.clone());
                watched(submit::submit(self.tools.clone(), job.clone(), request, left), messages, move || {
                    Input::Submitted {
                        job: id,
                        answer: SubmitAnswer::Unknown(broken("the answer to the order")),
                        bytes: 0,
                    }
                });
            }
            // Cannot happen: the core sends only what was built. It stays `submitting`, and the
            // next start makes it unconfirmed, which is the safe reading.
            _ => tracing::error!("{job} was to be sent but is not built"),
        }
    }

    fn call<F, R>(&self, account: String, ask: F)
    where
        F: FnOnce(Arc<dyn Provider>, String, Duration) -> R,
        R: Future<Output = Input> + Send + 'static,
    {
        let Some(provider) = self.tools.providers.get(&account).cloned() else { return };
        let (messages, points) = (self.tools.messages.clone(), self.tools.settings.points.clone());
        let asked = ask(provider, account.clone(), self.tools.longest_call);
        tokio::spawn(async move {
            let input = asked.await;
            points.reach("call.answered", account);
            let _ = messages.send(input.into());
        });
    }
}

/// A free call's answer, if it comes within `most` and can be worked on; the account is not asked again
/// before there is one.
async fn within<T: Send + 'static>(
    most: Duration,
    what: &str,
    ask: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
) -> Result<T, ServiceError> {
    // A task of its own: one answer that trips us up must not leave its account unasked for good.
    match tokio::spawn(tokio::time::timeout(most, ask)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => {
            let text = format!("no {what} within {} s", most.as_secs());
            Err(ServiceError::new(ErrorKind::Unavailable, text))
        }
        Err(_) => Err(broken(&format!("the {what}"))),
    }
}

/// Runs a task whose end the core waits for: should it break off, the core is told so. Else its job
/// would count as under way for as long as the engine lives.
fn watched(
    task: impl Future<Output = ()> + Send + 'static,
    messages: mpsc::UnboundedSender<Message>,
    instead: impl FnOnce() -> Input + Send + 'static,
) {
    let running = tokio::spawn(task);
    tokio::spawn(async move {
        if running.await.is_err() {
            let _ = messages.send(instead().into());
        }
    });
}

fn broken(what: &str) -> ServiceError {
    ServiceError::new(ErrorKind::Protocol, format!("{what} could not be worked on here; report this"))
}

#[cfg(test)]
mod tests {
    use super::super::shell::tests::shell;
    use super::*;
    use crate::domain::AccountProfile;

    #[tokio::test]
    async fn a_task_that_breaks_off_is_reported_and_one_that_ends_is_not() {
        let (messages, mut inbox) = mpsc::unbounded_channel();
        watched(async {}, messages.clone(), || Input::Ticked);
        watched(async { panic!("planted") }, messages, || Input::Drain);
        assert!(matches!(inbox.recv().await, Some(Message::Input(input)) if matches!(*input, Input::Drain)));
        assert!(inbox.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_call_that_never_ends_is_an_error_of_its_account() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        // It takes every call and says nothing.
        let silent = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = server.accept().await {
                open.push(stream);
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let (mut shell, mut inbox) = shell(dir.path(), &url);
        shell.tools.longest_call = Duration::from_millis(20);
        let (account, profile) = ("nanogpt".to_owned(), AccountProfile { origin: url, ..Default::default() });
        for effect in [
            Effect::Probe { account: account.clone() },
            Effect::Balance { account: account.clone(), profile: profile.clone() },
            Effect::Discover { account, profile },
        ] {
            let name = format!("{effect:?}");
            shell.begin_effect(effect);
            let told = tokio::time::timeout(Duration::from_secs(10), inbox.recv()).await;
            let Ok(Some(Message::Input(input))) = told else { panic!("nothing is told of {name}: {told:?}") };
            let error = match *input {
                Input::Probed { result, .. } => result.unwrap_err(),
                Input::Balanced { result, .. } => result.unwrap_err(),
                Input::Discovered { result, .. } => result.unwrap_err(),
                other => panic!("{other:?}"),
            };
            assert_eq!(error.kind, ErrorKind::Unavailable, "{name}: {error:?}");
            assert!(error.message.contains("within"), "{name}: {error:?}");
        }
        silent.abort();
    }
}
