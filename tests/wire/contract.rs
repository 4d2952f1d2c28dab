//! One contract suite for all adapters against the simulator, which knows nothing of us. Each function plays one thing
//! the documents name, and notes what it saw hold; `coverage` holds them against `docs/coverage.md`.

mod coverage;
mod journeys;
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
    ninjachat_old: submits_and_finishes reads_the_balance fails_and_says_why refuses_by_code;
}
