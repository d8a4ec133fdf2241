//! The section of a service in the settings, and the service that comes of it.

use std::fmt::{Debug, Display};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    App, Configured, Kind, Service, Shared, StartError,
    kind::{Read, Started},
};
use crate::{
    config::{Sections, ServiceConfig},
    error::chain,
};

/// The section of a service in the settings.
pub trait Section: Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What every service has.
    fn common(&self) -> ServiceConfig;
}

/// A service that is put together as its settings say.
pub trait Build: Section {
    /// The service.
    const KIND: &'static Kind;

    /// Looks for what is wrong with its own settings, though each can be read. Connects to nothing.
    fn find_faults(&self, _: &mut Faults) {}

    /// Adds what it answers, follows and does.
    ///
    /// # Errors
    /// Why it does not start.
    fn build(self, service: &mut Service) -> impl Future<Output = Result<(), StartError>> + Send;
}

/// What is wrong with the settings of a service.
#[derive(Debug)]
pub struct Faults {
    section: &'static str,
    found: Vec<String>,
}

impl Faults {
    /// Adds what is wrong with a setting, named by its path within the section.
    pub fn add(&mut self, setting: impl Display, fault: impl Display) {
        self.found.push(format!("{}.{setting}: {fault}", self.section));
    }

    /// Adds why a setting cannot be used.
    pub fn check<T, E: std::error::Error + 'static>(&mut self, setting: impl Display, used: Result<T, E>) {
        if let Err(error) = used {
            self.add(setting, chain(&error));
        }
    }
}

impl<B: Build> Configured for B {
    fn kind(&self) -> &'static Kind {
        B::KIND
    }

    fn common(&self) -> ServiceConfig {
        Section::common(self)
    }

    fn shown(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(self)
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Faults { section: B::KIND.name, found: Vec::new() };
        self.find_faults(&mut faults);
        let keys = B::KIND.needs.request_keys.then(|| Section::common(self).requests.load());
        if let Some(Err(error)) = keys {
            faults.found.push(format!("{}.{}", B::KIND.name, chain(&error)));
        }
        faults.found
    }

    fn build(self: Box<Self>, shared: Shared) -> Started {
        Box::pin(App::build(*self, shared))
    }
}

impl Kind {
    /// Its section, for `read`.
    ///
    /// # Errors
    /// When a setting is unknown, missing or of the wrong kind.
    pub fn configured<B: Build>(sections: &Sections) -> Read {
        let section = sections.get::<B>(B::KIND.name)?;
        Ok(section.map(|section| Box::new(section) as Box<dyn Configured>))
    }
}

impl App {
    /// Connects a service to its database, puts it together as its settings say, and listens.
    ///
    /// # Errors
    /// When the database is out of reach or behind, a port is taken, or a setting or key cannot be used.
    pub async fn build<B: Build>(settings: B, shared: Shared) -> Result<Self, StartError> {
        let (kind, common) = (B::KIND, Section::common(&settings));
        if kind.needs.request_keys {
            // A wrong key file is reported before anything is connected to.
            common.requests.load()?;
        }
        let mut service = Service::connect(kind.name, common, shared, &kind.migrations()).await?;
        service.contract = kind.contract;
        settings.build(&mut service).await?;
        service.listen().await
    }
}

/// Declares the section of a service that carries out requests: its own settings besides those that all have.
///
/// ```
/// tongxin_platform::section! {
///     /// Settings of a shop.
///     pub struct Config {
///         /// Whether it is open on Sundays.
///         #[serde(default)]
///         pub open_on_sundays: bool,
///     }
/// }
/// ```
#[macro_export]
macro_rules! section {
    ($(#[$about:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Its database.
            pub database: $crate::db::DbConfig,
            /// Its gRPC server.
            #[serde(default)]
            pub grpc: $crate::grpc::GrpcConfig,
            /// Its admin port.
            #[serde(default)]
            pub admin: $crate::config::AdminConfig,
            /// A file for each version of the key by which requests are known again, 32 bytes as of `openssl rand -hex 32`. A
            /// version stays here as long as requests that were made under it may come again.
            #[serde(default)]
            pub request_key_files: ::std::collections::BTreeMap<$crate::personal::KeyVersion, ::std::path::PathBuf>,
            /// The version for new requests; the highest if unset.
            #[serde(default)]
            pub current_request_key: Option<$crate::personal::KeyVersion>,
            /// How many days back a date may lie without the permission `history.load`.
            #[serde(default)]
            pub entry_window_days: $crate::request::EntryWindow,
            $($own)*
        }

        impl $crate::service::Section for $name {
            fn common(&self) -> $crate::config::ServiceConfig {
                $crate::config::ServiceConfig {
                    database: self.database.clone(),
                    grpc: self.grpc.clone(),
                    admin: self.admin,
                    requests: $crate::request::RequestKeyFiles {
                        files: self.request_key_files.clone(),
                        current: self.current_request_key,
                    },
                }
            }
        }
    };
}
