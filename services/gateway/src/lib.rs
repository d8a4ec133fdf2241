//! The gateway: one port for all services, and the figures computed from their events.
//!
//! | room | |
//! |---|---|
//! | `grpc`      | the gateway's own methods: indicators and scorecards |
//! | `proxy`     | passes calls through to other services, and speaks the web's protocols for all of them |
//! | `consumers` | contributions of each service's events to figures |
//! | `domain`    | the catalogue of indicators, and the computation of figures |
//! | `store`     | facts, their roll-ups, and the queries of scorecards |
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
