//! Fetches the key set that an issuer serves.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Certificate, Client, header::AUTHORIZATION, redirect};

use super::{
    error::{KeyError, SET_BYTES},
    file,
    set::KeySet,
};
use crate::secret::Address;

const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The address of a key set, and how to authenticate there.
pub(super) struct Fetcher {
    address: Address,
    is_https: bool,
    ca_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    /// With the certificates that it was built with.
    client: Mutex<(Client, Option<Vec<u8>>)>,
}

impl Fetcher {
    pub(super) fn new(
        address: Address,
        ca_file: Option<PathBuf>,
        token_file: Option<PathBuf>,
    ) -> Result<Self, KeyError> {
        let url = reqwest::Url::parse(address.expose()).ok();
        // In lower case, however it was written.
        let is_https = match url.as_ref().filter(|url| url.has_host()).map(reqwest::Url::scheme) {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(KeyError::NoAddress(address)),
        };
        // Only to fail early: it is read again for each fetch.
        token_file.as_deref().map(file::read).transpose()?;
        let certificates = ca_file.as_deref().map(file::read).transpose()?;
        let client = client(is_https, ca_file.as_deref(), certificates.as_deref())?;
        Ok(Self { address, is_https, ca_file, token_file, client: Mutex::new((client, certificates)) })
    }

    pub(super) async fn fetch(&self) -> Result<KeySet, KeyError> {
        let mut question = self.client()?.get(self.address.expose());
        if let Some(file) = &self.token_file {
            let token = file::read(file)?;
            question = question.header(AUTHORIZATION, format!("Bearer {}", String::from_utf8_lossy(&token).trim()));
        }
        let answer = question.send().await.and_then(reqwest::Response::error_for_status);
        // The address may contain a secret.
        let mut answer = answer.map_err(reqwest::Error::without_url)?;
        if answer.status().is_redirection() {
            return Err(KeyError::Redirected);
        }
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            if bytes.len() + part.len() > SET_BYTES {
                return Err(KeyError::TooLarge);
            }
            bytes.extend_from_slice(&part);
        }
        KeySet::of_json(&bytes)
    }

    /// The client, rebuilt if its certificates changed.
    fn client(&self) -> Result<Client, KeyError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.ca_file {
            let certificates = Some(file::read(file)?);
            if client.1 != certificates {
                *client = (self::client(self.is_https, Some(file), certificates.as_deref())?, certificates);
            }
        }
        Ok(client.0.clone())
    }
}

/// Loads the system's certificates only if the address needs them.
fn client(is_https: bool, ca_file: Option<&Path>, certificates: Option<&[u8]>) -> Result<Client, KeyError> {
    // The target of a redirect is not what was configured, and must not get the token.
    let builder = Client::builder().timeout(FETCH_TIMEOUT).redirect(redirect::Policy::none());
    if let (Some(path), Some(pem)) = (ca_file, certificates) {
        let own = Certificate::from_pem_bundle(pem).ok().filter(|own| !own.is_empty());
        let client = own.and_then(|own| builder.tls_certs_only(own).build().ok());
        return client.ok_or_else(|| KeyError::NoCertificate(path.to_owned()));
    }
    if is_https { builder.build().map_err(KeyError::NoCertificates) } else { Ok(builder.tls_certs_only([]).build()?) }
}
