//! Building an order and sending it once.
//!
//! Knows providers, inputs and the disk. Must not decide what an answer means, nor send twice: a
//! built order is used up by being sent.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::core::{Input as CoreInput, PreparedOrder, Unprepared};
use super::download;
use super::shell::{Message, Tools};
use crate::domain::{AccountProfile, ErrorKind, Job, Model, Problem, Request};
use crate::media;
use crate::provider::{Input, Order, PaidRequest, ServiceError, SubmitAnswer, Trace};
use crate::store::{Change, load_input, put_input};

/// After this long without an answer the row says that it waits.
const SHOWN_AS_WAITING: Duration = Duration::from_secs(60);

/// Copies a request's local media files into the data directory and names them by hash.
///
/// # Errors
/// A problem for each file that cannot be kept; the request is unchanged then.
pub(super) async fn keep_inputs(
    tools: &Tools,
    model: &Model,
    request: &mut Request,
) -> Result<Vec<Change>, Vec<Problem>> {
    let files: Vec<(String, String, Option<u64>)> = model
        .parameters
        .iter()
        .filter(|parameter| parameter.kind.is_media() && parameter.wire_data.is_some())
        .filter_map(|parameter| Some((parameter, request.params.get(&parameter.name)?.as_str()?.to_owned())))
        .filter(|(_, value)| {
            !value.trim().is_empty() && !crate::domain::request::is_url(value) && !value.starts_with("sha256:")
        })
        .map(|(parameter, value)| (parameter.name.clone(), value, parameter.max_bytes))
        .collect();
    let (mut changes, mut kept, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (field, path, most) in files {
        let (dir, file) = (tools.settings.data_dir.clone(), path.clone());
        let stored = tokio::task::spawn_blocking(move || put_input(&dir, Path::new(&file))).await;
        match stored.map_err(std::io::Error::other).and_then(|result| result) {
            Ok(input) if most.is_some_and(|most| input.bytes > most) => {
                let most = most.unwrap_or_default();
                let text = format!(
                    "{path} has {} bytes; this service takes at most {most}. Give a public URL instead",
                    input.bytes
                );
                problems.push(Problem::new(field, "max_bytes", text));
            }
            Ok(input) => {
                kept.push((field, format!("sha256:{}", input.sha256)));
                changes.push(Change::PutInput {
                    sha256: input.sha256,
                    mime: input.mime,
                    bytes: input.bytes,
                    name: path,
                });
            }
            Err(error) => problems.push(Problem::new(field, "file", format!("{path}: {error}"))),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for (field, value) in kept {
        request.params.insert(field, value.into());
    }
    Ok(changes)
}

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
        Ok(Err(unprepared)) => Message::Input(CoreInput::Prepared { job: id, result: Err(unprepared) }),
        Err(error) => {
            let problem = Problem::new("order", "internal", format!("could not be built: {error}"));
            Message::Input(CoreInput::Prepared { job: id, result: Err(Unprepared::Illegal(vec![problem])) })
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
    let inputs = load_inputs(tools, job)?;
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

fn load_inputs(tools: &Tools, job: &Job) -> Result<Vec<Input>, Unprepared> {
    let mut inputs = Vec::new();
    for (field, value) in &job.values {
        let Some(sha256) = value.as_str().and_then(|text| text.strip_prefix("sha256:")) else { continue };
        let gone = |text: String| Unprepared::Illegal(vec![Problem::new(field, "file", text)]);
        let bytes = load_input(&tools.settings.data_dir, sha256)
            .map_err(|error| gone(format!("the stored input is gone: {error}")))?;
        let kept = tools.store.input(sha256).ok().flatten();
        let mime = kept.map_or_else(|| "application/octet-stream".to_owned(), |(input, _)| input.mime);
        inputs.push(Input { sha256: sha256.to_owned(), mime, bytes: Bytes::from(bytes) });
    }
    Ok(inputs)
}

/// Sends an order, once, and reports what came of it.
pub(super) async fn submit(tools: Tools, job: Job, request: PaidRequest) {
    let id = job.id;
    let Some(provider) = tools.providers.get(&job.request.account).cloned() else { return };
    let wait = tools.limits.get(&job.request.account).and_then(|limits| limits.answer_wait);
    let (sink, received) = download::sink_for(&tools, &job);
    let points = &tools.settings.points;
    points.reach("order.sending", id);
    let trace = Arc::new(Trace::default());
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
                let _ = tools.messages.send(Message::Input(CoreInput::Waited { job: id }));
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
    let _ = tools.messages.send(Message::Input(CoreInput::Submitted {
        job: id,
        answer,
        bytes: received.parts().iter().map(|part| part.bytes).sum(),
    }));
}
