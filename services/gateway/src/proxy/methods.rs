//! All methods: those of the contract, and those that every server has.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, MethodDescriptor};
use tongxin_proto::POOL;

/// Health and reflection, from the descriptors of their libraries.
const OF_EVERY_SERVER: [&[u8]; 3] = [
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
];

static KNOWN: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let mut known = POOL.clone();
    for descriptors in OF_EVERY_SERVER {
        known.decode_file_descriptor_set(descriptors).expect("a test reads these descriptors");
    }
    known
});

/// The method with a path such as `/tongxin.pairing.v1.PairingService/GetRegion`.
pub(super) fn find(path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    KNOWN.get_service_by_name(service)?.methods().find(|known| known.name() == method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_the_contract_and_of_every_server_are_found() {
        for path in [
            "/tongxin.pairing.v1.PairingService/GetRegion",
            "/grpc.health.v1.Health/Check",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        ] {
            assert!(find(path).is_some(), "{path}");
        }
        for path in ["", "/", "/x", "/grpc.health.v1.Health/", "/grpc.health.v1.Health/Check/", "//Check"] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}
