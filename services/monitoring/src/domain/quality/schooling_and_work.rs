//! 201 to 299: school, ability to work, and work, compared with age.

use super::Rule;
use crate::domain::member::{LabourAbility, Schooling, Work};

pub(super) const RULES: &[Rule] = &[
    Rule::refuse(
        201,
        "学龄前却在初中及以上就读",
        "before school age, and beyond primary school",
        |dossier| {
            let beyond = [Schooling::Junior, Schooling::Senior, Schooling::Vocational, Schooling::College];
            dossier.any(|person, age| age < 6 && beyond.contains(&person.schooling))
        },
    ),
    Rule::warn(202, "义务教育年龄却非在校", "of school age, and not at school", |dossier| {
        dossier.any(|person, age| (7..15).contains(&age) && person.schooling == Schooling::NotAtSchool)
    }),
    Rule::warn(203, "年满8周岁仍登记为学龄前", "8 or older, and still before school", |dossier| {
        dossier.any(|person, age| age >= 8 && person.schooling == Schooling::BeforeSchool)
    }),
    Rule::warn(204, "年满20周岁仍在小学或初中", "20 or older, and at primary or junior school", |dossier| {
        dossier.any(|person, age| age >= 20 && matches!(person.schooling, Schooling::Primary | Schooling::Junior))
    }),
    Rule::warn(205, "在校学生全年务工", "at school, and at work for 10 months or more", |dossier| {
        dossier.any(|person, age| age >= 16 && person.is_at_school() && person.has_job() && person.work_months >= 10)
    }),
    Rule::refuse(206, "未满6周岁却有工作", "under 6, and at work", |dossier| {
        dossier.any(|person, age| age < 6 && person.work != Work::None)
    }),
    Rule::warn(207, "未满16周岁却务工或经营", "under 16, with a job or a business", |dossier| {
        let works = [Work::JobInCounty, Work::JobInProvince, Work::JobElsewhere, Work::Business];
        dossier.any(|person, age| (6..16).contains(&age) && works.contains(&person.work))
    }),
    Rule::warn(
        208,
        "公益性岗位人员未满16或超过70周岁",
        "under 16 or over 70, in a public-service post",
        |dossier| {
            dossier.any(|person, age| person.work == Work::PublicServicePost && (age > 70 || (6..16).contains(&age)))
        },
    ),
    Rule::warn(209, "未就业却有务工月数", "no work, but months of work", |dossier| {
        dossier.any(|person, _| person.work == Work::None && person.work_months > 0)
    }),
    Rule::warn(210, "有务工而月数为零", "a job, but no months of work", |dossier| {
        dossier.any(|person, _| person.has_job() && person.work_months == 0)
    }),
    Rule::warn(211, "无劳动力或丧失劳动力却务工", "no ability to work, but a job", |dossier| {
        let unable = [LabourAbility::None, LabourAbility::Lost];
        dossier.any(|person, age| age >= 16 && unable.contains(&person.labour) && person.has_job())
    }),
    Rule::warn(
        212,
        "未满16周岁却为普通或技能劳动力",
        "under 16, and ordinary or skilled labour",
        |dossier| dossier.any(|person, age| age < 16 && person.is_able_bodied()),
    ),
    Rule::warn(
        213,
        "年满80周岁却为普通或技能劳动力",
        "80 or older, and ordinary or skilled labour",
        |dossier| dossier.any(|person, age| age >= 80 && person.is_able_bodied()),
    ),
    Rule::warn(214, "18至59周岁非在校却无劳动力", "18 to 59, not at school, and no labour", |dossier| {
        dossier.any(|person, age| {
            (18..60).contains(&age)
                && !person.is_at_school()
                && person.labour == LabourAbility::None
                && !person.has_job()
        })
    }),
];
