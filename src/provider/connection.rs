//! The clients of one account: how connections are opened, and to which addresses.
//!
//! Knows reqwest, TLS and name resolution. Must not know what is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Once;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy as Redirects;
use reqwest::{Client, ClientBuilder};
use tokio::sync::OnceCell;
use url::Url;

use crate::domain::ErrorKind;
use crate::domain::text::clean;
use crate::mutation::mutated;

use super::ServiceError;
use super::address::{Policy, is_localhost};

/// Longest time to connect; an answer to a paid request is waited for without a limit here.
const CONNECT: Duration = Duration::from_secs(15);
/// Longest silence in the answer of a free call.
const SILENCE: Duration = Duration::from_secs(60);
/// Longest time that a connection for free calls is kept without use: longer than between two polls, and shorter
/// than common servers keep one. After twice that, nothing wakes up for it any more.
const UNUSED: Duration = Duration::from_secs(30);

/// One client for free calls and one for paid ones, twice: reading the system's certificates takes
/// tens of milliseconds, so the pair that needs them is built when https is first spoken.
pub(super) struct Clients {
    policy: Policy,
    plain: Pair,
    secure: OnceCell<Pair>,
}

/// The two clients.
#[derive(Clone)]
pub(super) struct Pair {
    /// For free calls: connections are kept and used again.
    pub(super) free: Client,
    /// For paid ones: HTTP/1 only, every request on a connection of its own, nothing sent twice.
    pub(super) paid: Client,
}

impl Clients {
    /// Prepares an account's clients; opens no connection.
    pub(super) fn new(policy: &Policy) -> Result<Self, ServiceError> {
        install_tls();
        let plain = build(policy, false)?;
        Ok(Clients { policy: policy.clone(), plain, secure: OnceCell::new() })
    }

    /// The pair for a URL.
    pub(super) async fn of(&self, url: &Url) -> Result<&Pair, ServiceError> {
        if url.scheme() == "http" {
            return Ok(&self.plain);
        }
        self.secure
            .get_or_try_init(|| async {
                let policy = self.policy.clone();
                let building = tokio::task::spawn_blocking(move || build(&policy, true));
                building.await.unwrap_or_else(|_| Err(unprepared("building the client failed")))
            })
            .await
    }
}

fn build(policy: &Policy, secure: bool) -> Result<Pair, ServiceError> {
    let failed = |e: reqwest::Error| {
        let cause = super::answer::root_cause(&e);
        unprepared(&format!("{cause}; are the system's CA certificates installed?"))
    };
    let free = client(policy, secure).read_timeout(SILENCE).pool_idle_timeout(UNUSED).build().map_err(failed)?;
    // Nothing paid takes a used connection, which may be closed at the other end already.
    let idle = if mutated("connection_pool") { 8 } else { 0 };
    let paid = client(policy, secure).http1_only().pool_max_idle_per_host(idle).no_gzip();
    let paid = paid.build().map_err(failed)?;
    Ok(Pair { free, paid })
}

fn unprepared(why: &str) -> ServiceError {
    ServiceError::new(ErrorKind::Unavailable, format!("cannot prepare connections: {}", clean(why, 200)))
}

/// What both clients have in common.
fn client(policy: &Policy, secure: bool) -> ClientBuilder {
    let client = Client::builder()
        .user_agent(concat!("rushes/", env!("CARGO_PKG_VERSION")))
        .redirect(if mutated("redirects") { Redirects::limited(5) } else { Redirects::none() })
        .retry(if mutated("client_retry") { again_when_it_fails() } else { reqwest::retry::never() })
        .referer(false)
        .connect_timeout(CONNECT)
        .tcp_keepalive(Duration::from_secs(30))
        .tcp_keepalive_interval(Duration::from_secs(30))
        .tcp_keepalive_retries(4)
        .tcp_nodelay(true)
        .dns_resolver(Guard(policy.clone()));
    let client = if policy.may_use_proxy() { client } else { client.no_proxy() };
    // Without certificates nothing is trusted, which plain http does not mind.
    if secure { client } else { client.tls_certs_only([]) }
}

/// The mutation: what fails on the way is sent once more.
fn again_when_it_fails() -> reqwest::retry::Builder {
    let once_more = reqwest::retry::for_host("127.0.0.1").no_budget().max_retries_per_request(1);
    once_more.classify_fn(|answer| if answer.error().is_some() { answer.retryable() } else { answer.success() })
}

/// Installs the one TLS implementation that is linked; reqwest is built without a choice of its own.
fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that somebody installed one before, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Resolves names and drops every address that the policy does not admit, right before connecting,
/// so that a name cannot change its mind in between.
struct Guard(Policy);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found: Vec<IpAddr> = if is_localhost(&name) {
                vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
            } else {
                tokio::net::lookup_host((name.as_str(), 0)).await?.map(|address| address.ip()).collect()
            };
            let admitted = policy.admit_addresses(&name, found.into_iter());
            if admitted.is_empty() {
                return Err("refused: the name leads only to addresses this account has no business with".into());
            }
            Ok(Box::new(admitted.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}
