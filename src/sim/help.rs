//! What a person at the simulator may want to know, as text.

use crate::sim::variants;
use std::sync::LazyLock;

static HELP: LazyLock<String> = LazyLock::new(|| format!("{TEXT}{}", variants::listing()));

/// What the simulator does and how to steer it; `rushes sim --help` prints it.
pub fn help() -> &'static str {
    &HELP
}

const TEXT: &str = "\
The simulator plays NinjaChat, NanoGPT and A4F on 127.0.0.1, each with its documented routes,
rules, prices, errors and limits. Nothing it does costs anything.

  http://127.0.0.1:PORT/ninjachat   http://127.0.0.1:PORT/nanogpt   http://127.0.0.1:PORT/a4f
  http://127.0.0.1:PORT/ninjachat-new   NinjaChat's new generation (POST /api/v1/videos), always;
  --ninjachat new or the variant `generation` has /ninjachat speak it, too, in place of the old.
  The same routes answer without the prefix, but for NinjaChat's new /api/v1/models and /usage.

KEYS  Any key of the right form works, and each has its own bank account:
  nj_sk_...            NinjaChat, opens with $42.00
  sk-nano-... or UUID  NanoGPT, opens with 129.46956147 USD and 26.71801147 XNO
  ddc-a4f-...          A4F, ultra plan: 12 calls a minute, 1000 a day
  A word inside a key changes what it is:
    wrong      is not a key (401)
    broke      an empty account (402)          rich       $100,000.00
    capped     NinjaChat's new generation: the project's spend limit is reached (402)
    xno        NanoGPT bills in XNO            daily      today's limit is used up (429)
    rpd-N      NanoGPT: N orders a day         usd-N      NanoGPT: N dollars a day (429)
    forbidden  may not be used from here (403; NanoGPT and A4F)
    free basic A4F plans without video (403)   plan-pro   A4F's pro plan: 10 a minute

PROMPTS  A word in brackets inside a prompt steers the job:
  [slow]    takes ten times as long             [long]  takes about two hours
  [fail]    accepted, then fails (refunded; A4F says 500 provider_error and keeps the call)
  [policy]  refused for its content (NanoGPT 400; NinjaChat fails and refunds; A4F 400)
  [nsfw]    accepted, then fails for its content (refunded, but not at A4F)
  [500]     the service's internal error        [502]  its upstream fails at once; nothing charged
  [timeout] A4F's 408                           [200]  A4F's error inside a 200
  [flat]    NanoGPT's flat status shape         [nocost]  NanoGPT's COMPLETED without a cost
  [dead]    NanoGPT: accepted and charged, dies before dispatch, refunded at once

TIME  --speed N runs the simulator's clock N times as fast: jobs, rate-limit windows, quotas and
  days all follow it; only Retry-After speaks of real seconds.

CLIPS  Real H.264, 360 lines on the short side and 24 frames a second, or as ordered with
  --full-size. Links are kept, unless the variant `links` has them expire.

BOOKS AND FAULTS
  GET    /_sim/orders[?service=S]  every order: id, price, state, sha256, downloads, request ids
  GET    /_sim/bank                every account: opening, balance, charges, refunds, deposits
  GET    /_sim/requests            every request that reached us, with counts by route
  POST   /_sim/deposit             {\"service\":\"nanogpt\",\"key\":\"...\",\"amount\":\"5.00\"}; below zero is
                                   someone else spending
  GET    /_sim/faults              those that wait; DELETE forgets them
  POST   /_sim/faults              {\"service\":\"nanogpt\",\"route\":\"submit\",\"kind\":\"accept_then_drop\",
                                    \"times\":1,\"skip\":0}
    routes  submit status balance clip models recover other
    instead of the answer          status html empty hang drop_before redirect gone_clip
    after the work was done        accept_then_drop accept_then_hang accept_then_status cut
                                   garbage truncate_json short_clip html_clip
    delay   waits \"seconds\" first; a hang ends the connection after so many, else never
    key     only requests whose key has this in it
    with    status, body, headers, after_bytes (cut, hang, truncate_json, short_clip)

VARIANTS  Switches that change how a service behaves until they are switched back. `charges` and
  `refunds` have its bank take or keep more than its answers say. At the start they are set by
  --variant nanogpt.refunds=never (without a service at all that have it), later by
  GET    /_sim/variants            all of them, with value, legal values and one line of help
  POST   /_sim/variants            {\"service\":\"nanogpt\",\"name\":\"encoding\",\"value\":\"gzip\"};
                                   without a service at every service that has it
  DELETE /_sim/variants[?service=S]  puts them back
";
