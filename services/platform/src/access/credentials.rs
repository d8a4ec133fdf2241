//! The token for calls between services.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tonic::{Request, Status, metadata::MetadataValue, service::Interceptor};
use tracing::error;

use super::{LocalKey, TokenRequest};
use crate::{clock::Clock, error::chain};

/// Seconds after which a token is read or signed again, well before it expires.
const FRESH: i64 = 60;

/// Adds a service's own token to its calls.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    source: Source,
    clock: Clock,
    current: Mutex<Option<(String, i64)>>,
}

enum Source {
    File(PathBuf),
    Local(LocalKey, TokenRequest),
}

impl Credentials {
    /// A token in a file that is kept fresh by somebody else, as in Kubernetes.
    #[must_use]
    pub fn file(path: PathBuf, clock: Clock) -> Self {
        Self::new(Source::File(path), clock)
    }

    /// Tokens signed with a local key.
    #[must_use]
    pub fn local(key: LocalKey, request: TokenRequest, clock: Clock) -> Self {
        Self::new(Source::Local(key, request), clock)
    }

    fn new(source: Source, clock: Clock) -> Self {
        Self(Arc::new(Inner { source, clock, current: Mutex::new(None) }))
    }

    /// The current token.
    ///
    /// # Errors
    /// If the file cannot be read or signing fails.
    pub fn token(&self) -> io::Result<String> {
        let now = self.0.clock.now().timestamp();
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, since)) = &*current
            && (*since..since + FRESH).contains(&now)
        {
            return Ok(token.clone());
        }
        let token = match &self.0.source {
            Source::File(path) => fs::read_to_string(path)?.trim().to_owned(),
            Source::Local(key, request) => key.sign(request, &self.0.clock).map_err(io::Error::other)?,
        };
        *current = Some((token.clone(), now));
        Ok(token)
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let token = self.token().map_err(|fault| {
            error!(error = chain(&fault), "there is no token to call another service with");
            Status::unauthenticated("the calling service has no token")
        })?;
        let value = MetadataValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Status::unauthenticated("the calling service's token is malformed"))?;
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}
