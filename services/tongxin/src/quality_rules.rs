//! What data-quality rules warn of, in the language of the command.

use std::collections::BTreeMap;

use tongxin_proto::monitoring::v1::{ListQualityRulesRequest, ListQualityRulesResponse};
use tonic::{Response, Status};

use crate::{client::Gateway, lang::lang};

/// The text of each rule, by its number.
pub type Texts = BTreeMap<i32, String>;

/// Asks for the rules once.
pub async fn ask(gateway: &Gateway) -> Result<Response<ListQualityRulesResponse>, Status> {
    gateway.villages().list_quality_rules(ListQualityRulesRequest {}).await
}

/// The texts of the rules of an answer.
pub fn texts(answer: ListQualityRulesResponse) -> Texts {
    answer.rules.into_iter().map(|rule| (rule.number, lang().of(rule.name_en, rule.name_zh))).collect()
}
