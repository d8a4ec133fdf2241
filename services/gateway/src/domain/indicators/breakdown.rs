//! Breakdowns of a count of households by category and by risk.

use super::{Indicator, Kind};

/// Categories of households under monitoring, of all schemes: code, Chinese name, English name. The last one counts all
/// other categories of rule sets, so that the parts add up to the whole.
const CATEGORIES: [(&str, &str, &str); 6] = [
    ("unstable", "脱贫不稳定户", "unstable since leaving poverty"),
    ("marginal", "边缘易致贫户", "marginal"),
    ("hardship", "突发严重困难户", "sudden severe hardship"),
    ("development", "开发式帮扶对象", "assisted by development"),
    ("safety_net", "兜底保障对象", "held by the safety net"),
    ("other_category", "其他类别", "other category"),
];

/// Risks in the order of the contract, which numbers them from 1.
const RISKS: [(&str, &str, &str); 11] = [
    ("illness", "因病", "illness"),
    ("schooling", "因学", "schooling"),
    ("disability", "因残", "disability"),
    ("natural_disaster", "因自然灾害", "natural disaster"),
    ("accident", "因意外事故", "accident"),
    ("business_failure", "因产业失败", "business failure"),
    ("unstable_employment", "因就业不稳", "unstable employment"),
    ("lack_of_labour", "缺劳动力", "lack of labour"),
    ("housing", "因住房", "housing"),
    ("water", "因饮水", "drinking water"),
    ("other", "其他", "other"),
];

/// The parts of a count of households.
#[derive(Debug)]
pub struct Breakdown {
    categories: [Indicator; CATEGORIES.len()],
    risks: [Indicator; RISKS.len()],
}

impl Breakdown {
    /// The parts of a stock.
    pub(super) fn of(whole: &'static Indicator) -> Self {
        Self {
            categories: CATEGORIES.map(|named| part(whole, named, Kind::Stock, OF_CATEGORY)),
            risks: RISKS.map(|named| part(whole, named, Kind::Stock, OF_RISK)),
        }
    }

    /// The parts of a flow: the changes of the parts of its stock.
    pub(super) fn flow_of(whole: &'static Indicator, stock: &'static Self) -> Self {
        let mut categories = stock.categories.iter();
        let mut risks = stock.risks.iter();
        let kind = |of: Option<&'static Indicator>| Kind::FlowOf(of.expect("both have the same parts"));
        Self {
            categories: CATEGORIES.map(|named| part(whole, named, kind(categories.next()), OF_CATEGORY)),
            risks: RISKS.map(|named| part(whole, named, kind(risks.next()), OF_RISK)),
        }
    }

    /// All parts, categories first.
    pub fn parts(&self) -> impl Iterator<Item = &Indicator> {
        self.categories.iter().chain(&self.risks)
    }

    /// The part of a category.
    #[must_use]
    pub fn of_category(&self, code: &str) -> &Indicator {
        let known = CATEGORIES.iter().position(|(known, ..)| *known == code);
        &self.categories[known.unwrap_or(CATEGORIES.len() - 1)]
    }

    /// The part of a risk by its number in the contract; `None` for 0 and for numbers that the contract does not know
    /// yet.
    #[must_use]
    pub fn of_risk(&self, number: i32) -> Option<&Indicator> {
        self.risks.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

const OF_CATEGORY: &str = "As the whole, for households of this category.";
const OF_RISK: &str = "As the whole, for households at this risk; one with several risks counts once for each.";

/// A part of a whole. Its texts are leaked: the catalogue is built once and lives as long as the process.
fn part(
    whole: &'static Indicator,
    (code, name_zh, name_en): (&str, &str, &str),
    kind: Kind,
    definition: &'static str,
) -> Indicator {
    Indicator {
        id: format!("{}_{code}", whole.id).leak(),
        name_zh: format!("{}：{name_zh}", whole.name_zh).leak(),
        name_en: format!("{}: {name_en}", whole.name_en).leak(),
        kind,
        definition,
        breakdown_of: Some(whole),
        ..*whole
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tongxin_proto::{monitoring::v1::Risk, words::Word as _};

    use crate::domain::indicators::monitoring::{HOUSEHOLDS_IDENTIFIED, IDENTIFIED};

    #[test]
    fn each_risk_has_its_part() {
        for (number, word) in Risk::WORDS {
            assert_eq!(IDENTIFIED.of_risk(*number).unwrap().id, format!("{}_{word}", HOUSEHOLDS_IDENTIFIED.id));
        }
        assert_eq!(IDENTIFIED.of_risk(0), None);
    }

    #[test]
    fn each_category_of_the_rules_that_are_shipped_has_its_part() {
        let mut seen = 0;
        for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rules")).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            for code in text.lines().filter_map(|line| line.trim().strip_prefix("- code: ")) {
                assert_eq!(IDENTIFIED.of_category(code).id, format!("{}_{code}", HOUSEHOLDS_IDENTIFIED.id));
                seen += 1;
            }
        }
        assert!(seen >= 5, "{seen}");
        assert_eq!(IDENTIFIED.of_category("tier_two").id, "households_identified_other_category");
    }
}
