//! The public notice of a case: the facts of a household that may be public, and nothing else.

use chrono::Days;
use tongxin_platform::{db::Transaction, register};
use tongxin_proto::{monitoring::v1, rules};

use crate::{
    domain::{CaseId, case::CaseRefused},
    error::Error,
    store::{cases, dated_rules, households, keys::Keys, notices},
};

/// Renders the newest notice of a case.
pub(super) async fn render(tx: &mut Transaction, keys: &Keys, case: CaseId) -> Result<v1::PublicNotice, Error> {
    let case = cases::find(tx, case).await?;
    let notice = case.history.notice().ok_or(CaseRefused::NoticeNotPosted)?;
    let of_day = dated_rules::load(tx, &[(case.region, notice.posted_on, Some(case.rule_set))]).await?;
    let opened_by = dated_rules::of_rule_set(tx, case.rule_set, case.region).await?;
    let min_days = of_day.of_case(case.rule_set, case.region, notice.posted_on).unwrap_or(&opened_by).notice_min_days();
    let until = notice.posted_on.checked_add_days(Days::new(min_days.into())).unwrap_or(notice.posted_on);
    let answer = v1::PublicNotice {
        region_code: case.region.to_string(),
        region_name: register::find(tx, case.region).await?.name,
        head_name: households::head_name(tx, keys, case.household).await?,
        persons: notices::persons(tx, case.household).await?,
        category_name: opened_by.category_name(&case.category)?.to_owned(),
        removal: notice.removal,
        posted_on: Some(notice.posted_on.into()),
        until: Some(until.into()),
    };
    // The codec does not check responses: only a name goes out, whatever was entered as one.
    match rules::check(&answer) {
        Ok(()) => Ok(answer),
        Err(_) => Err(CaseRefused::NameNotPublishable.into()),
    }
}
