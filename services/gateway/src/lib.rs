//! The gateway: one door to all services, and the figures that follow from their events.
//!
//! | room | |
//! |---|---|
//! | `grpc`      | the gateway's own calls: indicators and scorecards |
//! | `proxy`     | calls of other services, passed through, and the web's protocols for all of them |
//! | `consumers` | what each service's events add to which figure |
//! | `domain`    | the catalogue of indicators, and how figures come about |
//! | `store`     | facts, their roll-ups, and the names of regions |
//! | `metrics`   | the figures on `/metrics` |
//! | `app`       | puts the parts together |

mod app;
mod config;
mod consumers;
mod domain;
mod error;
mod grpc;
mod metrics;
mod proxy;
pub mod store;

pub use app::KIND;
pub use config::Config;
pub use domain::{
    fact::Fact,
    indicators::{self, Indicator},
};
pub use error::{Error, Refused};
pub use proxy::EdgeRefused;
