//! What is wrong with a file, in English and Chinese. Nothing here repeats what a cell says about a person.

use std::io::ErrorKind;

use crate::{
    fault::{Found, Limit},
    lang::Lang,
};

impl Limit {
    fn say(self, lang: Lang) -> &'static str {
        match self {
            Self::Bytes => lang.of("bytes", "字节"),
            Self::Inflated => lang.of("bytes when inflated", "字节（解压后）"),
            Self::Entries => lang.of("entries of its archive", "个压缩包条目"),
            Self::Cells => lang.of("cells", "个单元格"),
            Self::Records => lang.of("texts and formats", "个文本和格式"),
            Self::SharedStrings => lang.of("bytes of texts", "字节的文本"),
            Self::Nesting => lang.of("levels of elements", "层嵌套"),
            Self::Element => lang.of("bytes in one element", "字节的单个元素"),
            Self::Merges => lang.of("merged regions", "个合并区域"),
            Self::Columns => lang.of("columns", "列"),
            Self::Lines => lang.of(
                "lines of one household: is its number missing in the lines after it?",
                "行属于同一户：后面各行是否漏填户编号？",
            ),
            Self::Line => {
                lang.of("bytes in one line: is a quotation mark not closed?", "字节（一行之内）：是否有引号没有闭合？")
            }
        }
    }
}

impl Found {
    /// As a sentence.
    #[must_use]
    pub fn say(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.english(),
            Lang::Zh => self.chinese(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Unreadable(ErrorKind::NotFound) => "there is no such file".to_owned(),
            Self::Unreadable(ErrorKind::PermissionDenied) => "may not be read by this user".to_owned(),
            Self::Unreadable(kind) => format!("cannot be read: {kind}"),
            Self::Empty => "the file is empty".to_owned(),
            Self::Encoding => {
                "is not text in UTF-8, UTF-16 or GB18030: save the file as CSV UTF-8 or as .xlsx".to_owned()
            }
            Self::CutOff => "the file ends in the middle of a character: is it only half there?".to_owned(),
            Self::NotAWorkbook => {
                "is an old or protected workbook: save it as .xlsx without a password, or as CSV UTF-8".to_owned()
            }
            Self::OtherKind => "is a page or a document: save its table as .xlsx or as CSV UTF-8".to_owned(),
            Self::LockFile => {
                "is what a spreadsheet writes beside a file that is open: name the file without ~$".to_owned()
            }
            Self::Workbook(what) => {
                format!("is no workbook that can be read ({what}): open it in a spreadsheet and save it as .xlsx")
            }
            Self::TooMuch { of, most } => format!("more than {most} {}", of.say(Lang::En)),
            Self::NoSheet { sheets } => format!("there is no such sheet; there are {}", sheets.join(", ")),
            Self::NoHeader { needed } => {
                format!("none of the first lines has the headings; needed are {}", needed.join(", "))
            }
            Self::Missing(missing) => format!("the header lacks {}", missing.join(", ")),
            Self::Unknown { unknown, known } => format!(
                "the header has {}, which nothing is known of; there are {}. --ignore-unknown leaves such columns out",
                unknown.join(", "),
                known.join(", ")
            ),
            Self::HeadingTwice(None) => "is in the header twice".to_owned(),
            Self::HeadingTwice(Some(other)) => format!("means the same as the column {other}"),
            Self::MergedHeading => {
                "the heading is merged over several columns: unmerge it, each column needs its own".to_owned()
            }
            Self::MergedCells { until } => {
                format!("is merged down to line {until}: unmerge it, each line needs its own value")
            }
            Self::NoRows => "the file has a header, but no rows".to_owned(),
            Self::HeaderAgain => "is the header once more".to_owned(),
            Self::QuoteOpen => "a quotation mark that opens here is not closed".to_owned(),
            Self::Short { fields, needed } => {
                format!("the line ends after {fields} of {needed} columns: is the file only half there?")
            }
            Self::Sparse { lacks } => {
                format!("is it a total or a remark? Take it out, or fill in {}", lacks.join(", "))
            }
            Self::Unnamed => "has content, but no heading".to_owned(),
            Self::NeedsValue => "is empty".to_owned(),
            Self::NoNumber => "is empty: lines of one household are put together by it".to_owned(),
            Self::Control(character) => format!("holds {character}"),
            Self::Changed => "was changed by a spreadsheet: format the column as text and enter it again".to_owned(),
            Self::IsDay => "is a date: format the column as text and enter it again".to_owned(),
            Self::IsNumber => "is a number: format the column as a date".to_owned(),
            Self::NotADay => "is no day: a day such as 2025-12-31 is needed".to_owned(),
            Self::NotYuan => "is no amount in yuan such as 8600.50, with at most two decimals".to_owned(),
            Self::NotACount => "is no whole number".to_owned(),
            Self::NotATruth => "is neither 1 nor 0 (是 or 否, yes or no)".to_owned(),
            Self::NotAWord { words } => {
                let words: Vec<_> = words
                    .iter()
                    .map(|(en, zh)| if zh.is_empty() { en.clone() } else { format!("{en} ({zh})") })
                    .collect();
                format!("is none of: {}", words.join(", "))
            }
            Self::NotALoss => {
                "is not like accident:20000 or natural_disaster/flood:15000, with ; between several".to_owned()
            }
            Self::NoResult => {
                "is a formula without a result: open the file in a spreadsheet and save it again".to_owned()
            }
            Self::Failed => "is a formula that failed".to_owned(),
            Self::TooLong => "has more characters than a spreadsheet keeps".to_owned(),
            Self::Differs { from } => format!("differs from line {from}, of the same household"),
            Self::Twice { first } => format!("states the same as line {first} already does"),
            Self::SecondHead { first } => format!(
                "is a second head under one household number, the first is in line {first}: two numbers may have become one"
            ),
            Self::Form([note, _]) => format!("is not what the column needs: {note}"),
            Self::NotAFile => "is no file: save what it has to one first".to_owned(),
            Self::OtherSheets(sheets) => format!(
                "the sheets {} have the headings, too: name the one to read with --sheet, each in an import of its own",
                sheets.join(", ")
            ),
            Self::Rule(text) => text.clone(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Unreadable(ErrorKind::NotFound) => "没有这个文件".to_owned(),
            Self::Unreadable(ErrorKind::PermissionDenied) => "当前用户没有读取权限".to_owned(),
            Self::Unreadable(kind) => format!("无法读取（{kind}）"),
            Self::Empty => "文件是空的".to_owned(),
            Self::Encoding => "不是 UTF-8、UTF-16 或 GB18030 编码的文本：请另存为“CSV UTF-8”或 .xlsx".to_owned(),
            Self::CutOff => "文件在一个字的中间断开：是不是没有传完整？".to_owned(),
            Self::NotAWorkbook => "是旧格式或加了密码的工作簿：请不加密码另存为 .xlsx，或另存为“CSV UTF-8”".to_owned(),
            Self::OtherKind => "是网页或文档，不是表格文件：请把其中的表格另存为 .xlsx 或“CSV UTF-8”".to_owned(),
            Self::LockFile => "是电子表格打开文件时生成的临时文件：请改用不带 ~$ 的原文件".to_owned(),
            Self::Workbook(what) => {
                format!("不是可以读取的工作簿（{}）：请用电子表格打开后另存为 .xlsx", workbook_in_chinese(what))
            }
            Self::TooMuch { of, most } => format!("超过 {most} {}", of.say(Lang::Zh)),
            Self::NoSheet { sheets } => format!("没有这个工作表；现有：{}", sheets.join("、")),
            Self::NoHeader { needed } => format!("开头几行里没有找到表头；需要：{}", needed.join("、")),
            Self::Missing(missing) => format!("表头缺少：{}", missing.join("、")),
            Self::Unknown { unknown, known } => {
                format!(
                    "表头里有不认识的列：{}；可用的列：{}。加 --ignore-unknown 可略过这些列",
                    unknown.join("、"),
                    known.join("、")
                )
            }
            Self::HeadingTwice(None) => "在表头中出现了两次".to_owned(),
            Self::HeadingTwice(Some(other)) => format!("与“{other}”列是同一项"),
            Self::MergedHeading => "表头单元格跨列合并：请取消合并，每列各写一个表头".to_owned(),
            Self::MergedCells { until } => format!("单元格向下合并到第 {until} 行：请取消合并，逐行填写"),
            Self::NoRows => "只有表头，没有数据行".to_owned(),
            Self::HeaderAgain => "又是一遍表头".to_owned(),
            Self::QuoteOpen => "这里开始的引号没有闭合".to_owned(),
            Self::Short { fields, needed } => format!("本行只有 {fields} 列，应有 {needed} 列：文件是不是没有传完整？"),
            Self::Sparse { lacks } => format!("是合计行或备注行吗？请删去该行，或补填：{}", lacks.join("、")),
            Self::Unnamed => "有内容，但没有表头".to_owned(),
            Self::NeedsValue => "没有填写".to_owned(),
            Self::NoNumber => "没有填写：同一户的各行靠它归在一起".to_owned(),
            Self::Control(character) => format!("含有控制字符（{character}）"),
            Self::Changed => "被电子表格改动过：请把该列设为文本格式后重新填写".to_owned(),
            Self::IsDay => "是日期：请把该列设为文本格式后重新填写".to_owned(),
            Self::IsNumber => "是数字：请把该列设为日期格式".to_owned(),
            Self::NotADay => "不是日期：应写成 2025-12-31".to_owned(),
            Self::NotYuan => "不是金额：应为元，最多两位小数，例如 8600.50".to_owned(),
            Self::NotACount => "不是整数".to_owned(),
            Self::NotATruth => "应填 是 或 否（1 或 0）".to_owned(),
            Self::NotAWord { words } => {
                let words: Vec<_> =
                    words.iter().map(|(en, zh)| if zh.is_empty() { en.as_str() } else { zh.as_str() }).collect();
                format!("不是可用的选项：{}", words.join("、"))
            }
            Self::NotALoss => "应写成 accident:20000 或 natural_disaster/flood:15000，多项之间用分号".to_owned(),
            Self::NoResult => "是没有结果的公式：请用电子表格打开并重新保存".to_owned(),
            Self::Failed => "是出错的公式".to_owned(),
            Self::TooLong => "超过电子表格单元格的最大长度".to_owned(),
            Self::Differs { from } => format!("与同一户的第 {from} 行不一致"),
            Self::Twice { first } => format!("与第 {first} 行重复"),
            Self::SecondHead { first } => {
                format!("同一户编号下出现第二个户主（第一个在第 {first} 行）：可能两个编号变成了一个")
            }
            Self::Form([_, note]) => format!("格式不对：{note}"),
            Self::NotAFile => "不是文件：请先把内容保存成文件".to_owned(),
            Self::OtherSheets(sheets) => {
                format!("工作表 {} 也有这样的表头：请用 --sheet 指定要读的工作表，逐个导入", sheets.join("、"))
            }
            Self::Rule(text) => rule_in_chinese(text),
        }
    }
}

/// A broken rule of the contract in Chinese, by the words that the contract's checks have.
fn rule_in_chinese(text: &str) -> String {
    let numbers: Vec<_> =
        text.split(|character: char| !character.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    match (text, numbers.as_slice()) {
        ("is required", _) => "必填".to_owned(),
        ("holds a resident ID number", _) => "不能写身份证号码".to_owned(),
        ("holds the number of a mobile phone", _) => "不能写手机号码".to_owned(),
        ("holds the number of a card or an account", _) => "不能写银行卡号或账号".to_owned(),
        (text, ["1"]) if text.starts_with("needs at least") => "必填".to_owned(),
        (text, [least]) if text.starts_with("needs at least") => format!("至少要有 {least} 个"),
        (text, [has, most]) if text.ends_with("are allowed") => format!("有 {has} 个，最多 {most} 个"),
        (text, [is, most]) if text.ends_with("is allowed") => format!("是 {is}，超出允许的 {most}"),
        (text, _) if text.contains("1949-10-01") => "日期太早：不能早于 1949-10-01".to_owned(),
        (text, _) => text.to_owned(),
    }
}

/// What is wrong with a workbook, in Chinese.
fn workbook_in_chinese(what: &str) -> &str {
    match what {
        "its archive is damaged" => "压缩包已损坏",
        "its archive has no end" => "压缩包不完整",
        "its archive is of a kind for larger files" => "压缩包是超大文件才用的格式",
        "it states a place or a number that no sheet has" => "含有工作表中不可能有的位置或数字",
        "a sheet holds what belongs beside it" => "工作表里混入了其他内容",
        "its rows are out of order" => "行的顺序不对",
        "it states a cell twice" => "同一个单元格出现了两次",
        "it names a sheet that it does not have" => "列出了并不存在的工作表",
        _ => "内容不像电子表格写出的",
    }
}
