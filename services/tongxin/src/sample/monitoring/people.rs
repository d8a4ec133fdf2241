//! Names of people, and ID numbers that belong to nobody.

use chrono::NaiveDate;

use crate::sample::chance::Chance;

const SURNAMES: [&str; 40] = [
    "陈", "李", "黄", "张", "梁", "林", "刘", "吴", "罗", "杨", "谢", "何", "邓", "曾", "唐", "莫", "房", "沈", "冯",
    "欧", "潘", "朱", "许", "成", "钟", "廖", "叶", "蓝", "盘", "邵", "江", "曹", "胡", "谭", "范", "温", "赖", "龙",
    "甘", "植",
];

const GIVEN: [&str; 48] = [
    "建", "国", "志", "强", "丽", "华", "秀", "英", "伟", "明", "玉", "兰", "金", "水", "桂", "芳", "家", "荣", "天",
    "福", "美", "玲", "小", "红", "永", "辉", "春", "梅", "文", "杰", "海", "燕", "光", "亮", "月", "娥", "木", "生",
    "火", "妹", "观", "土", "亚", "喜", "子", "轩", "欣", "怡",
];

/// The code of the city as a whole. It is not a county, so no ID number begins with it.
const NOBODYS_PREFIX: &str = "441800";

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

pub fn surname(chance: &mut Chance) -> &'static str {
    chance.pick(&SURNAMES)
}

pub fn name(surname: &str, chance: &mut Chance) -> String {
    let first = chance.pick(&GIVEN);
    let second = if chance.below(5) == 0 { "" } else { chance.pick(&GIVEN) };
    format!("{surname}{first}{second}")
}

/// Issues ID numbers without repetition.
pub struct IdNumbers(std::collections::HashMap<(NaiveDate, bool), u32>);

impl IdNumbers {
    pub fn new() -> Self {
        Self(std::collections::HashMap::new())
    }

    /// The next number for a day of birth and a sex.
    pub fn next(&mut self, birth_date: NaiveDate, is_male: bool) -> String {
        let given = self.0.entry((birth_date, is_male)).or_insert(0);
        *given += 1;
        let order = *given * 2 - u32::from(is_male);
        let digits = format!("{NOBODYS_PREFIX}{}{order:03}", birth_date.format("%Y%m%d"));
        let check = check_digit(&digits);
        format!("{digits}{check}")
    }
}

/// By GB 11643: the weighted sum modulo 11 selects a character.
fn check_digit(digits: &str) -> char {
    let values = digits.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = values.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'][sum as usize % 11]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        for number in ["11010519491231002X", "110101202311012176", "44011320141005001X", "360426199101010071"] {
            assert_eq!(check_digit(&number[..17]), number.chars().last().unwrap(), "{number}");
        }
    }

    #[test]
    fn no_number_is_given_twice() {
        let day = NaiveDate::from_ymd_opt(1980, 2, 29).unwrap();
        let mut numbers = IdNumbers::new();
        let given: std::collections::HashSet<_> = (0..200).map(|number| numbers.next(day, number % 2 == 0)).collect();
        assert_eq!(given.len(), 200);
        assert!(given.iter().all(|number| number.len() == 18 && number.starts_with(NOBODYS_PREFIX)));
    }
}
