//! 801 to 899: numbers of accounts and persons that look spoilt.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::warn(
        801,
        "银行账号超过15位且以000结尾，可能被电子表格截断",
        "a bank account of more than 15 digits ends in 000, as if a spreadsheet had cut it",
        |dossier| dossier.numbers.account_cut,
    ),
    Rule::warn(
        802,
        "银行卡号校验位不正确",
        "a bank account of 16 to 19 digits has a wrong check digit",
        |dossier| dossier.numbers.account_mistyped,
    ),
    Rule::warn(
        803,
        "身份证号码以000结尾，可能被电子表格截断",
        "an ID number ends in 000, as if a spreadsheet had cut it",
        |dossier| dossier.numbers.id_number_cut,
    ),
];
