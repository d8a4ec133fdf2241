//! Keys of the services' own, which are files.

use tongxin_platform::{
    error::chain,
    personal::{BlindIndex, MasterKeys, PersonalConfig},
    request::{RequestKeyError, RequestKeys},
};

pub(super) fn key_faults(personal: &PersonalConfig, faults: &mut Vec<String>) {
    let keys = MasterKeys::load(personal).map(drop).and_then(|()| BlindIndex::load(personal).map(drop));
    if let Err(error) = keys {
        faults.push(format!("monitoring.personal: {}", chain(&error)));
    }
}

pub(super) fn request_key_faults(section: &str, keys: Result<RequestKeys, RequestKeyError>, faults: &mut Vec<String>) {
    if let Err(error) = keys {
        faults.push(format!("{section}.{}", chain(&error)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults;

    #[tokio::test]
    async fn monitoring_needs_keys_that_can_be_read() {
        let found = faults(
            "token_file = 't'
             [monitoring]
             pairing = 'http://pairing:7001'
             request_key_files = { 1 = '/nowhere.requests' }
             [monitoring.database]
             url = 'postgres://app@db/monitoring'
             [monitoring.personal]
             current_key = 1
             key_files = { 1 = '/nowhere.key' }
             index_key_file = '/nowhere.index'",
        );
        let [fault, requests] = found.as_slice() else { panic!("{found:#?}") };
        assert!(
            requests.starts_with("monitoring.request_key_files: version 1: cannot read key file /nowhere.requests")
        );
        assert!(fault.starts_with("monitoring.personal: ") && fault.contains("/nowhere.key"), "{fault}");
    }
}
