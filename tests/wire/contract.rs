//! One contract suite for all adapters against the simulator, which knows nothing of us. Each function plays one thing
//! the documents name, and notes what it saw hold; `coverage` holds them against `docs/coverage.md`.

mod a4f;
mod coverage;
mod journeys;
mod nanogpt_account;
mod nanogpt_errors;
mod nanogpt_orders;
mod nanogpt_status;
mod ninjachat_new;
mod ninjachat_old;
mod stage;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use stage::Stage;

type Playing = Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! contract {
    ($($room:ident: $($function:ident)*;)*) => {
        /// Every contract function, by the name that the table uses.
        const FUNCTIONS: &[(&str, fn(Arc<Stage>) -> Playing)] = &[
            $($((
                concat!(stringify!($room), "::", stringify!($function)),
                |stage| Box::pin(async move { $room::$function(&stage).await }),
            ),)*)*
        ];

        /// Each of them as a test of its own.
        mod each {
            $(mod $room {
                $(#[tokio::test]
                async fn $function() {
                    crate::wire::contract::$room::$function(&crate::wire::contract::Stage::new().await).await;
                })*
            })*
        }
    };
}

contract! {
    a4f: orders_and_decodes takes_every_form_of_the_clip refuses_by_code names_what_failed_upstream
        reads_plan_and_limits lists_its_models;
    nanogpt_account: reads_both_balances lists_its_models finds_a_lost_order;
    nanogpt_errors: reads_every_envelope waits_as_told leaves_open_what_settles_nothing
        quotes_the_price_when_money_is_short;
    nanogpt_orders: sends_every_field sends_files_as_data_urls reads_every_form_of_the_reply pays_in_nano
        extends_a_finished_run never_takes_an_image_from_the_library;
    nanogpt_status: understands_every_word reads_every_shape finds_the_clip_wherever_it_is says_why_it_failed
        knows_the_final_cost asks_the_older_endpoint;
    ninjachat_new: submits_and_finishes repeats_are_one_order reads_balance_and_lists refuses_by_code
        looks_up_a_lost_order;
    ninjachat_old: submits_and_finishes reads_the_balance fails_and_says_why refuses_by_code;
}
