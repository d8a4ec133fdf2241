//! The caller of a request.

use std::{collections::HashSet, sync::Arc};

use tonic::{Request, Status};

use crate::{limit::HourlyLimits, region::RegionCode};

/// A caller with a valid token.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    subject: String,
    roles: Vec<String>,
    region: RegionCode,
    department: Option<String>,
    permissions: HashSet<String>,
    limits: HourlyLimits,
}

impl Caller {
    /// A caller with a subject, a region and permissions.
    pub fn new(subject: impl Into<String>, region: RegionCode, permissions: HashSet<String>) -> Self {
        let (roles, limits) = (Vec::new(), HourlyLimits::default());
        Self(Arc::new(Inner { subject: subject.into(), roles, region, department: None, permissions, limits }))
    }

    /// The same caller, with roles.
    #[must_use]
    pub fn in_roles(self, roles: Vec<String>) -> Self {
        Self(Arc::new(Inner { roles, ..Inner::clone(&self.0) }))
    }

    /// The same caller with other limits than the default.
    #[must_use]
    pub fn with_limits(self, limits: HourlyLimits) -> Self {
        Self(Arc::new(Inner { limits, ..Inner::clone(&self.0) }))
    }

    /// The same caller, who speaks for a department.
    #[must_use]
    pub fn of_department(self, department: Option<String>) -> Self {
        Self(Arc::new(Inner { department, ..Inner::clone(&self.0) }))
    }

    /// The caller of a request that came through the door.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if it did not, because the service is served without the door.
    pub fn of<M>(request: &Request<M>) -> Result<Self, Status> {
        request.extensions().get().cloned().ok_or_else(|| Status::unauthenticated("no token was checked"))
    }

    /// Subject of the token.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Roles of the token.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.0.roles
    }

    /// The region that the caller may read and change.
    #[must_use]
    pub fn region(&self) -> RegionCode {
        self.0.region
    }

    /// The caller's limits of look-ups and reveals per hour.
    #[must_use]
    pub fn limits(&self) -> HourlyLimits {
        self.0.limits
    }

    /// The department that the caller speaks for, in the issuer's term for it.
    #[must_use]
    pub fn department(&self) -> Option<&str> {
        self.0.department.as_deref()
    }

    /// Whether the caller has a permission.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        self.0.permissions.contains(permission)
    }

    /// Every permission, sorted.
    #[must_use]
    pub fn permissions(&self) -> Vec<&str> {
        let mut permissions: Vec<_> = self.0.permissions.iter().map(String::as_str).collect();
        permissions.sort_unstable();
        permissions
    }
}
