//! Habits of a service's cashier: what it takes and gives back beside what its answers say. Set by
//! the switches `charges` and `refunds`. Knows no order and no wire.
//!
//! That a charge exceeds what was published has been seen (wire.md 6: listed at $0.35, charged $0.60).
//! That a failed job's price comes back by itself is promised (seed 000; wire.md 1.7) with no word on
//! when. Charges beyond what the answer says, and refunds that are late, partial or never paid, are
//! inventions of ours: books that trust no answer must find them.

use crate::sim::clock::{Moment, SECOND};
use crate::sim::service::Service;
use crate::sim::variants::{Variant, Variants};
use rust_decimal::{Decimal, RoundingStrategy};

/// The services that take money have these; A4F's calls are neither charged otherwise nor given back.
pub const SWITCHES: [Variant; 3] = [
    Variant::words(
        "charges",
        &["as_told", "cent_more", "says_more"],
        "cent_more: the bank takes 0.01 more than the answers say; says_more: 0.01 more than published, and says so",
    ),
    Variant::words(
        "refunds",
        &["paid", "never", "late", "partly"],
        "of failed jobs: never: said, not paid; late: paid refund_seconds after the failure; partly: half is paid",
    ),
    Variant::number("refund_seconds", 3600, 31_536_000, "how late a refund of `late` is, in simulated seconds"),
];

/// The least that an account is charged in.
const CENT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// What becomes of the price of failed jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refunds {
    #[default]
    Paid,
    Never,
    /// So much simulated time after the failure.
    Late(Moment),
    Partly,
}

/// One cashier's habits; the default is an honest one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Taken beyond the order's price, and not said.
    pub unsaid: Decimal,
    /// Added to every published price, and said.
    pub dearer: Decimal,
    pub refunds: Refunds,
}

impl Habits {
    /// As the switches stand.
    pub fn read(variants: &Variants, service: Service) -> Self {
        if service == Service::A4f {
            return Self::default();
        }
        let cent_if = |word: &str| if variants.is(service, "charges", word) { CENT } else { Decimal::ZERO };
        let refunds = match variants.value(service, "refunds").as_str() {
            "never" => Refunds::Never,
            "late" => {
                let seconds = i64::try_from(variants.number(service, "refund_seconds")).unwrap_or(0);
                Refunds::Late(seconds * SECOND)
            }
            "partly" => Refunds::Partly,
            _ => Refunds::Paid,
        };
        Self { unsaid: cent_if("cent_more"), dearer: cent_if("says_more"), refunds }
    }

    /// When the refund of a job that failed at `ended` is paid, or known not to be.
    pub fn refund_due(self, ended: Moment) -> Moment {
        match self.refunds {
            Refunds::Late(by) => ended.saturating_add(by),
            Refunds::Paid | Refunds::Never | Refunds::Partly => ended,
        }
    }

    /// What is paid of a refund, with the bank's own remark; that nothing is paid is written down, too.
    pub fn refund_of(self, price: Decimal) -> (Decimal, &'static str) {
        match self.refunds {
            Refunds::Paid | Refunds::Late(_) => (price, "job failed"),
            Refunds::Never => (Decimal::ZERO, "job failed, refund kept back"),
            Refunds::Partly => {
                let half = price / Decimal::TWO;
                (half.round_dp_with_strategy(8, RoundingStrategy::ToZero), "job failed, half refunded")
            }
        }
    }
}
