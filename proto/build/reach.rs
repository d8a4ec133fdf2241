//! Which messages callers send, and which are the answers.

use std::collections::HashSet;

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

use crate::is_ours;

/// The messages of all methods, by their full names.
pub struct Reach {
    requests: HashSet<String>,
    answers: HashSet<String>,
}

impl Reach {
    pub fn of(pool: &DescriptorPool) -> Self {
        let (mut requests, mut answers) = (HashSet::new(), HashSet::new());
        for service in pool.services().filter(|service| is_ours(service.package_name())) {
            for method in service.methods() {
                add(&method.input(), &mut requests);
                answers.insert(method.output().full_name().to_owned());
            }
        }
        Self { requests, answers }
    }

    /// Whether a message is a request, or stands in one.
    pub fn is_sent(&self, message: &MessageDescriptor) -> bool {
        self.requests.contains(message.full_name())
    }

    /// Whether a message is the answer of a method, and is never sent by a caller.
    pub fn is_answer(&self, message: &MessageDescriptor) -> bool {
        self.answers.contains(message.full_name()) && !self.is_sent(message)
    }
}

fn add(message: &MessageDescriptor, to: &mut HashSet<String>) {
    if !to.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        if let Kind::Message(held) = field.kind() {
            add(&held, to);
        }
    }
}
