//! Names of organisations of the kinds that take part; none is intended to be real.

use tongxin_proto::pairing::v1::OrganisationKind;

const DISTRICTS: [&str; 12] = [
    "市",
    "越秀区",
    "海珠区",
    "荔湾区",
    "天河区",
    "白云区",
    "黄埔区",
    "花都区",
    "番禺区",
    "南沙区",
    "从化区",
    "增城区",
];

const SUPPORT_UNITS: [(OrganisationKind, &str); 30] = {
    use OrganisationKind::{Government, Hospital, PublicInstitution, School};
    [
        (Government, "农业农村局"),
        (PublicInstitution, "农业技术推广中心"),
        (School, "实验中学"),
        (Hospital, "人民医院"),
        (Government, "教育局"),
        (Government, "卫生健康局"),
        (PublicInstitution, "图书馆"),
        (Government, "住房和城乡建设局"),
        (Government, "交通运输局"),
        (School, "第一中学"),
        (Government, "水务局"),
        (PublicInstitution, "疾病预防控制中心"),
        (Government, "民政局"),
        (Hospital, "中医医院"),
        (Government, "财政局"),
        (Government, "人力资源和社会保障局"),
        (PublicInstitution, "文化馆"),
        (Government, "市场监督管理局"),
        (Government, "应急管理局"),
        (School, "职业技术学校"),
        (Government, "审计局"),
        (PublicInstitution, "不动产登记中心"),
        (Government, "司法局"),
        (Hospital, "妇幼保健院"),
        (Government, "统计局"),
        (Government, "生态环境局"),
        (PublicInstitution, "档案馆"),
        (Government, "科学技术局"),
        (School, "实验小学"),
        (Government, "文化广电旅游局"),
    ]
};

const ENTERPRISES: [&str; 12] = [
    "穗丰农业发展",
    "云山食品",
    "珠江源供应链",
    "粤北优品电子商务",
    "羊城建设工程",
    "同心文化旅游",
    "南岭冷链物流",
    "木棉纺织",
    "绿野生态科技",
    "广清机电设备",
    "白鹤饮用水",
    "禾穗种业",
];

const CITY_SCHOOLS: [&str; 15] = [
    "第一小学",
    "实验小学",
    "中心小学",
    "第二小学",
    "育才小学",
    "第一中学",
    "实验中学",
    "第二中学",
    "外国语学校",
    "第三小学",
    "第三中学",
    "华侨小学",
    "职业技术学校",
    "特殊教育学校",
    "第四中学",
];

const TOWN_SCHOOLS: [&str; 8] =
    ["中心小学", "初级中学", "第二小学", "九年一贯制学校", "第三小学", "职业学校", "寄宿制小学", "民族学校"];

/// The party organisation of a support unit, and the kind of the unit.
pub fn support_unit(number: usize) -> (OrganisationKind, String) {
    let (unit, district, branch) = places(number, SUPPORT_UNITS.len(), DISTRICTS.len());
    let (kind, name) = SUPPORT_UNITS[unit];
    let organisation = if branch == 0 { "党委".to_owned() } else { format!("第{branch}党支部") };
    (kind, format!("广州{}{name}{organisation}", city_or_district(district)))
}

/// The party organisation of an enterprise.
pub fn enterprise(number: usize) -> String {
    let (name, branch, _) = places(number, ENTERPRISES.len(), usize::MAX);
    let branch = if branch == 0 { String::new() } else { format!("第{branch}") };
    format!("广州{}有限公司{branch}党支部", ENTERPRISES[name])
}

/// A school of the supporters.
pub fn city_school(number: usize) -> String {
    // Districts only: the first entry is the whole city.
    let (district, name, campus) = places(number, DISTRICTS.len() - 1, CITY_SCHOOLS.len());
    format!("广州市{}{}{}", DISTRICTS[district + 1], CITY_SCHOOLS[name], annex(campus))
}

/// A school in one of the assisted towns, and the town's index.
pub fn town_school(number: usize, towns: &[String]) -> (String, usize) {
    let (town, name, campus) = places(number, towns.len(), TOWN_SCHOOLS.len());
    (format!("{}{}{}", towns[town], TOWN_SCHOOLS[name], annex(campus)), town)
}

/// The party organisation of a village, whose name in the register ends with 村委会.
pub fn village_party(place: &str, village: &str) -> String {
    let village = village.trim_end_matches("民委员会").trim_end_matches("委会");
    format!("{place}{village}党总支部委员会")
}

fn city_or_district(district: usize) -> String {
    if district == 0 { "市".to_owned() } else { format!("市{}", DISTRICTS[district]) }
}

fn annex(campus: usize) -> String {
    if campus == 0 { String::new() } else { format!("第{}校区", campus + 1) }
}

/// Splits a number into an index into the first list, an index into the second, and the round.
fn places(number: usize, first: usize, second: usize) -> (usize, usize, usize) {
    let rest = number / first;
    (number % first, rest % second, rest / second)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let names: HashSet<_> = (0..1_000).map(|number| support_unit(number).1).collect();
        assert_eq!(names.len(), 1_000);
        let names: HashSet<_> = (0..100).map(enterprise).collect();
        assert_eq!(names.len(), 100);
        let names: HashSet<_> = (0..500).map(city_school).collect();
        assert_eq!(names.len(), 500);
    }

    #[test]
    fn names_sound_like_names() {
        assert_eq!(support_unit(0).1, "广州市农业农村局党委");
        assert_eq!(support_unit(30).1, "广州市越秀区农业农村局党委");
        assert_eq!(village_party("阳山县太平镇", "白莲村委会"), "阳山县太平镇白莲村党总支部委员会");
        assert_eq!(village_party("阳山县太平镇", "白莲村民委员会"), "阳山县太平镇白莲村党总支部委员会");
        assert_eq!(town_school(24, &vec!["阳山县太平镇".to_owned(); 24]), ("阳山县太平镇初级中学".to_owned(), 0));
    }
}
