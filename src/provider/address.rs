//! Which addresses may be connected to, and which origin a key belongs to.
//!
//! Knows URLs, hosts and IP addresses, purely. Must not know any service, nor open a connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::domain::{ErrorKind, Service};

use super::ServiceError;

/// Whether this build refuses everything beyond loopback (test builds do).
const LOOPBACK_ONLY: bool = cfg!(feature = "loopback-only");

/// What one account may connect to.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// The account's own base URL, with its path prefix and without a trailing slash.
    base: Url,
    /// Whether private addresses may be reached, because the base URL itself is one.
    private: bool,
    loopback_only: bool,
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Loopback,
    Private,
    Public,
}

impl Policy {
    /// Reads and checks the base URL of an account.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`]: no http(s) URL, one with a query, a name or a fragment in it, or plain
    /// http beyond loopback without `allow_insecure`.
    pub(super) fn new(service: Service, base_url: &str, allow_insecure: bool) -> Result<Self, ServiceError> {
        let wrong = |why: &str| {
            let text = format!("the base URL of {} {why}", service.title());
            ServiceError::new(ErrorKind::Invalid, text)
        };
        let mut base = Url::parse(base_url.trim()).map_err(|e| wrong(&format!("cannot be read: {e}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(wrong("must start with https:// or http://"));
        }
        if base.query().is_some()
            || base.fragment().is_some()
            || !base.username().is_empty()
            || base.password().is_some()
        {
            return Err(wrong("must be an origin with at most a path: no query, no fragment, no user name"));
        }
        let reach = host_reach(&base);
        if base.scheme() == "http" && reach != Some(Reach::Loopback) && !allow_insecure {
            return Err(wrong(
                "is plain http beyond loopback, which would send the key unencrypted; \
                              use https, or set allow_insecure for this account",
            ));
        }
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        let private = matches!(reach, Some(Reach::Loopback | Reach::Private));
        Ok(Policy { base, private, loopback_only: LOOPBACK_ONLY })
    }

    /// The base URL.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// Whether a URL may be connected to at all, as far as it can be told before its name is resolved.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`], with the host and the reason.
    pub(super) fn admit(&self, url: &Url) -> Result<(), ServiceError> {
        let refuse = |why: &str| {
            let host = url.host_str().unwrap_or("a URL without a host");
            Err(ServiceError::new(ErrorKind::Protocol, format!("refused to connect to {host}: {why}")))
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("only http and https links are followed");
        }
        if self.loopback_only && host_reach(url) != Some(Reach::Loopback) {
            return refuse("this is a test build, which reaches nothing beyond loopback");
        }
        let own = url.host_str() == self.base.host_str();
        match host_reach(url) {
            Some(Reach::Loopback | Reach::Private) if !self.private && !own => {
                refuse("a public service has no business with a private or loopback address")
            }
            _ => Ok(()),
        }
    }

    /// The addresses of a resolved name that may be connected to.
    pub(super) fn admit_addresses(&self, name: &str, found: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
        let own = self.base.host_str() == Some(name);
        found
            .filter(|ip| match reach(*ip) {
                Reach::Loopback => self.private || own,
                _ if self.loopback_only => false,
                Reach::Private => self.private || own,
                Reach::Public => true,
            })
            .collect()
    }

    /// The origin that requests go to: the pinned one of a profile where it belongs to the account's
    /// own site, else the account's base URL.
    pub(super) fn pinned(&self, origin: &str) -> Url {
        match Url::parse(origin) {
            Ok(url) if same_site(&self.base, &url) => {
                let mut url = url;
                let path = url.path().trim_end_matches('/').to_owned();
                url.set_path(&path);
                url.set_query(None);
                url.set_fragment(None);
                url
            }
            _ => self.base.clone(),
        }
    }

    /// Whether proxies of the environment are to be used: never on the way to this machine itself.
    pub(super) fn may_use_proxy(&self) -> bool {
        !self.private && !self.loopback_only
    }
}

/// Whether two URLs have the same scheme, host and port: the only place a key may go.
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}

/// Whether `to` is the same site as `from`: the same host or its `www.` or sub-domain or parent (apex
/// to www), on the same port, and not from https down to http. A list of public suffixes is not
/// needed, since siblings do not count and a parent has at least two labels.
pub(super) fn same_site(from: &Url, to: &Url) -> bool {
    let upgraded = from.scheme() == "http" && to.scheme() == "https";
    let ports_fit = from.port_or_known_default() == to.port_or_known_default()
        || (upgraded && from.port().is_none() && to.port().is_none());
    if !(from.scheme() == to.scheme() || upgraded) || !ports_fit {
        return false;
    }
    match (from.host(), to.host()) {
        (Some(Host::Domain(a)), Some(Host::Domain(b))) => {
            let (a, b) = (a.trim_end_matches('.'), b.trim_end_matches('.'));
            a.eq_ignore_ascii_case(b) || is_below(a, b) || is_below(b, a)
        }
        (a, b) => a.is_some() && a == b,
    }
}

/// Whether `child` is a name below `parent`.
fn is_below(child: &str, parent: &str) -> bool {
    let real = parent.contains('.') || parent == "localhost";
    real && child.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
}

/// Whether a name is this machine's by its form (RFC 6761: `localhost` and everything below it).
pub(super) fn is_localhost(name: &str) -> bool {
    name == "localhost" || is_below(name, "localhost")
}

/// How far a URL's host reaches, where that can be told without resolving a name.
fn host_reach(url: &Url) -> Option<Reach> {
    match url.host()? {
        Host::Ipv4(ip) => Some(reach(IpAddr::V4(ip))),
        Host::Ipv6(ip) => Some(reach(IpAddr::V6(ip))),
        Host::Domain(name) => is_localhost(name).then_some(Reach::Loopback),
    }
}

fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let [a, b, c, _] = ip.octets();
    if ip.is_loopback() {
        return Reach::Loopback;
    }
    let special = ip.is_private()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    if special { Reach::Private } else { Reach::Public }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return reach_v4(v4);
    }
    let head = ip.segments()[0];
    if ip.is_loopback() {
        return Reach::Loopback;
    }
    // Unspecified, unique local, link and site local, multicast, and addresses that carry a v4 one.
    let special = ip.is_unspecified()
        || (head & 0xfe00) == 0xfc00
        || (head & 0xff80) == 0xfe80
        || (head & 0xff00) == 0xff00
        || (head == 0x64 && ip.segments()[1] == 0xff9b)
        || head == 0x2002
        || head == 0;
    if special { Reach::Private } else { Reach::Public }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(base: &str) -> Policy {
        Policy { loopback_only: false, ..Policy::new(Service::Nanogpt, base, true).unwrap() }
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_test_build_refuses_everything_beyond_loopback_before_it_connects() {
        let policy = Policy::new(Service::Nanogpt, "http://127.0.0.1:9/x/", false).unwrap();
        assert!(policy.loopback_only, "tests must be built with the loopback-only feature");
        for beyond in ["http://192.0.2.1/", "https://nano-gpt.com/", "http://10.0.0.1/", "http://[2001:db8::1]/"] {
            let error = policy.admit(&url(beyond)).unwrap_err();
            assert!(error.message.contains("loopback"), "{beyond}: {error}");
        }
        for here in ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost:2/", "http://www.localhost/"] {
            policy.admit(&url(here)).unwrap();
        }
        let found = ["127.0.0.1".parse().unwrap(), "192.0.2.1".parse().unwrap()];
        assert_eq!(policy.admit_addresses("x", found.into_iter()), [found[0]]);
    }

    #[test]
    fn a_public_service_reaches_no_private_address_and_a_private_one_does() {
        let hidden = [
            "http://127.0.0.1/",
            "http://10.1.2.3/",
            "http://169.254.169.254/latest/meta-data",
            "http://[::1]/",
            "http://[fd00::1]/",
            "http://[::ffff:192.168.0.1]/",
            "http://100.64.0.1/",
            "http://localhost/",
        ];
        let (public, private) = (policy("https://nano-gpt.com"), policy("http://192.168.1.5:8080/api"));
        for link in hidden {
            assert!(public.admit(&url(link)).is_err(), "{link}");
            private.admit(&url(link)).unwrap();
        }
        public.admit(&url("http://93.184.216.34/clip.mp4")).unwrap();
        assert!(public.admit(&url("ftp://93.184.216.34/clip.mp4")).is_err());
        let rebound = ["10.0.0.7".parse().unwrap(), "93.184.216.34".parse().unwrap()];
        assert_eq!(public.admit_addresses("cdn.example", rebound.into_iter()), [rebound[1]]);
        let own = policy("https://studio.example");
        assert_eq!(own.admit_addresses("studio.example", rebound.into_iter()).len(), 2, "the user's own host");
    }

    #[test]
    fn only_the_same_site_is_pinned() {
        for (from, to, same) in [
            ("https://ninjachat.ai", "https://www.ninjachat.ai", true),
            ("https://www.ninjachat.ai", "https://ninjachat.ai", true),
            ("http://ninjachat.ai", "https://www.ninjachat.ai", true),
            ("https://ninjachat.ai", "http://www.ninjachat.ai", false),
            ("https://ninjachat.ai", "https://ninjachat.ai.evil.com", false),
            ("https://ninjachat.ai", "https://evilninjachat.ai", false),
            ("https://api.ninjachat.ai", "https://www.ninjachat.ai", false),
            ("https://ninjachat.ai", "https://ai", false),
            ("http://127.0.0.1:80", "http://127.0.0.1:81", false),
            ("http://localhost:80", "http://www.localhost:80", true),
        ] {
            assert_eq!(same_site(&url(from), &url(to)), same, "{from} -> {to}");
        }
        let policy = policy("https://ninjachat.ai");
        assert_eq!(policy.pinned("https://www.ninjachat.ai/x/").as_str(), "https://www.ninjachat.ai/x");
        assert_eq!(policy.pinned("https://evil.example").as_str(), "https://ninjachat.ai/");
        assert_eq!(policy.pinned("").as_str(), "https://ninjachat.ai/");
    }

    #[test]
    fn plain_http_beyond_loopback_needs_the_users_word() {
        let new = |base, insecure| Policy::new(Service::A4f, base, insecure);
        assert!(new("http://192.168.1.5:8080", false).unwrap_err().message.contains("allow_insecure"));
        assert!(new("http://192.168.1.5:8080", true).is_ok());
        assert!(new("http://localhost:8080/a4f", false).is_ok());
        assert!(new("https://u:p@a4f.co", false).is_err());
        assert!(new("https://a4f.co/?x=1", false).is_err());
        assert!(new("ftp://a4f.co/", false).is_err());
    }
}
