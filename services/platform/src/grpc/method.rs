//! The method that a request calls.

/// Path of the method that a request calls, for example `/tongxin.log.v1.LogService/GetHead`.
#[derive(Debug, Clone, Default)]
pub struct MethodPath(pub String);

impl MethodPath {
    /// That of a request which came through the door; empty otherwise.
    #[must_use]
    pub fn of<M>(request: &tonic::Request<M>) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }
}
