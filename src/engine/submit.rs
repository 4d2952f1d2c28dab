//! Building an order and sending it once.
//!
//! Knows providers and the disk. Must not decide what an answer means, nor send twice: a
//! built order is used up by being sent.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::core::{Input as CoreInput, PreparedOrder, Unprepared};
use super::shell::{Message, Tools};
use super::{download, inputs, kept};
use crate::domain::{AccountProfile, ErrorKind, Job, Model, Problem};
use crate::media;
use crate::provider::{Order, PaidRequest, ServiceError, SubmitAnswer, Trace};

/// After this long without an answer the row says that it waits.
const SHOWN_AS_WAITING: Duration = Duration::from_secs(60);

/// Builds an order, looks at the disk and reports. Nothing leaves this machine.
pub(super) async fn prepare(tools: Tools, job: Box<Job>, model: Arc<Model>, profile: AccountProfile) {
    let id = job.id;
    let building = tools.clone();
    let built = tokio::task::spawn_blocking(move || build(&building, &job, &model, &profile)).await;
    let message = match built {
        Ok(Ok((request, order))) => Message::Built {
            job: id,
            request: Box::new(request),
            input: Box::new(CoreInput::Prepared { job: id, result: Ok(order) }),
        },
        Ok(Err(unprepared)) => CoreInput::Prepared { job: id, result: Err(unprepared) }.into(),
        Err(error) => {
            let problem = Problem::new("order", "internal", format!("could not be built: {error}"));
            CoreInput::Prepared { job: id, result: Err(Unprepared::Illegal(vec![problem])) }.into()
        }
    };
    tools.settings.points.reach("order.built", id);
    let _ = tools.messages.send(message);
}

fn build(
    tools: &Tools,
    job: &Job,
    model: &Model,
    profile: &AccountProfile,
) -> Result<(PaidRequest, PreparedOrder), Unprepared> {
    let illegal = |problem| Unprepared::Illegal(vec![problem]);
    let settings = &tools.settings;
    media::check_room(&*tools.disk, &settings.output_dir, settings.least_free)
        .map_err(|error| Unprepared::Disk(error.to_string()))?;
    let provider = tools.providers.get(&job.request.account);
    let provider = provider.ok_or_else(|| illegal(Problem::new("account", "unknown", "is not configured")))?;
    let inputs = inputs::load(tools, job)?;
    let order = Order {
        model,
        prompt: &job.request.prompt,
        values: &job.values,
        inputs: &inputs,
        correlation: &job.correlation,
    };
    let request = provider.prepare(&order, profile).map_err(Unprepared::Illegal)?;
    let digest = format!("{:x}", Sha256::digest(&request.body));
    let stem = match &job.stem {
        Some(stem) => stem.clone(),
        None => download::free_stem(tools, job).map_err(Unprepared::Disk)?,
    };
    let order = PreparedOrder { record: request.record.clone(), digest, stem };
    Ok((request, order))
}

/// Sends an order, once, and reports what came of it.
/// It is given up unsent once `left` has passed before its first byte leaves.
pub(super) async fn submit(tools: Tools, job: Job, request: PaidRequest, left: Option<Duration>) {
    let id = job.id;
    let Some(provider) = tools.providers.get(&job.request.account).cloned() else { return };
    let wait = tools.limits.get(&job.request.account).and_then(|limits| limits.answer_wait);
    let (sink, received) = download::sink_for(&tools, &job);
    let points = tools.settings.points.clone();
    points.reach("order.sending", id);
    let trace = Arc::new(left.map_or_else(Trace::default, Trace::within));
    let sent = trace.clone();
    let mut answering = Box::pin(async move { provider.submit(request, &sent, sink).await });
    let shown = tokio::time::sleep(SHOWN_AS_WAITING);
    let given_up = async {
        match wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(shown, given_up);
    let (mut waiting, mut unreleased) = (false, points.are_heard());
    let answer = loop {
        tokio::select! {
            biased;
            () = trace.released(), if unreleased => {
                unreleased = false;
                points.reach("order.released", id);
            }
            answer = &mut answering => break answer,
            () = &mut shown, if !waiting => {
                waiting = true;
                let _ = tools.messages.send(CoreInput::Waited { job: id }.into());
            }
            () = &mut given_up => {
                let error = ServiceError::new(ErrorKind::Protocol, "no answer to the order in ten minutes");
                break if trace.seal() { SubmitAnswer::NotSent(error) } else { SubmitAnswer::Unknown(error) };
            }
        }
    };
    // The sink goes with the call, so that what it wrote is complete and counted.
    drop(answering);
    points.reach("answer.received", id);
    let bytes = received.parts().iter().map(|part| part.bytes).sum();
    let is_lost = bytes > 0 && matches!(answer, SubmitAnswer::Unknown(_));
    let _ = tools.messages.send(Message::from(CoreInput::Submitted { job: id, answer, bytes }));
    if is_lost {
        kept::report(tools, job).await;
    }
}
