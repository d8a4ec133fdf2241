//! Parsing, refusal and evaluation of rules, compared with the interpreter of crate `cel`.

use std::{collections::BTreeSet, fmt::Write as _};

use cel::{Context, Program, Value};
use chrono::NaiveDate;
use proptest::{prelude::*, sample::select};
use tongxin_platform::error::Refusal as _;

use super::{
    fields::{Field, Flag, Number, Word},
    *,
};
use crate::domain::{
    household::SocialSupport,
    observation::HousingGrade,
    profile::{Composition, Newest, Profile},
    risk::Risk,
};

const LINE: i64 = 700_000;

/// Four people hit by illness, one of them seriously ill.
pub fn profile() -> Profile {
    Profile {
        composition: Composition {
            persons: 4,
            labourers: 2,
            students: 1,
            seriously_ill: 1,
            workers: 2,
            ..Composition::default()
        },
        lifted_from_poverty: true,
        support: SocialSupport::None,
        monitored: false,
        newest: Newest {
            window_ends_on: NaiveDate::from_ymd_opt(2025, 5, 31).unwrap(),
            wages: 2_400_000,
            business: 0,
            property: 0,
            transfer: 100_000,
            business_expense: 0,
            out_of_pocket: 1_234_567,
            insurance_received: 0,
            net_income: 2_500_000,
            per_capita_net_income: 625_000,
            previous_per_capita_net_income: Some(900_000),
            loss: 50_000,
            schooling_guaranteed: true,
            medical_guaranteed: true,
            housing_grade: HousingGrade::C,
            water_safe: true,
            shocks: BTreeSet::from([Risk::Illness]),
        },
    }
}

fn inputs() -> Inputs {
    Inputs::of(&profile(), LINE)
}

fn holds(text: &str) -> Result<bool, EvalError> {
    Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}")).eval_bool(&inputs())
}

fn refused(text: &str) -> (&'static str, String) {
    let error = Expression::compile(text).expect_err(text);
    (error.stated().reason, error.text)
}

#[test]
fn a_household_is_asked_about_its_income_its_members_and_what_hit_it() {
    for text in [
        "per_capita_net_income < line",
        "3 * out_of_pocket > net_income && seriously_ill + chronically_ill > 0",
        "has_previous && per_capita_net_income * 10 < previous_per_capita_net_income * 8",
        "housing_grade in ['C', 'D'] && !monitored",
        "housing_grade >= 'C'",
        "support == 'none' ? size(shocks) == 1 : false",
        "'illness' in shocks && !('water' in shocks)",
        "max(loss, min(wages, transfer)) == 100000",
        "-net_income < 0 && persons % 3 == 1 && net_income / persons == per_capita_net_income",
        "housing_grade in ('housing' in shocks ? ['A'] : ['B', housing_grade])",
    ] {
        assert_eq!(holds(text), Ok(true), "{text}");
    }
}

#[test]
fn what_cannot_be_computed_is_an_error_unless_the_other_side_decides() {
    assert_eq!(holds("wages / students / (students - 1) > 0"), Err(EvalError::DivisionByZero));
    assert_eq!(holds("wages % elderly == 0"), Err(EvalError::DivisionByZero));
    assert_eq!(holds("wages * 9000000000000 > 0"), Err(EvalError::Overflow));
    assert_eq!(holds("-(-9223372036854775807 - 1) > 0"), Err(EvalError::Overflow));
    assert_eq!(holds("wages / elderly > 0 || water_safe"), Ok(true));
    assert_eq!(holds("water_safe || wages / elderly > 0"), Ok(true));
    assert_eq!(holds("wages / elderly > 0 && monitored"), Ok(false));
    assert_eq!(holds("wages / elderly > 0 && water_safe"), Err(EvalError::DivisionByZero));
}

#[test]
fn a_field_or_function_that_there_is_not_is_named_with_one_that_is_meant() {
    assert_eq!(
        refused("net_incom > 0"),
        ("RULE_FIELD_UNKNOWN", "there is no field net_incom: is net_income meant? RuleService lists all".to_owned())
    );
    for text in
        ["sum(wages) > 0", "shocks.size() > 0", "household.wages > 0", "has(household.wages)", "matches('a', 'b')"]
    {
        assert_eq!(refused(text).0, "RULE_FIELD_UNKNOWN", "{text}");
    }
}

#[test]
fn types_have_to_fit() {
    for text in [
        "wages",
        "wages > 'A'",
        "wages && water_safe",
        "!wages",
        "-water_safe",
        "wages > 0.5",
        "wages > 1u",
        "housing_grade == b'A'",
        "housing_grade == null",
        "housing_grade + 'x' == 'Ax'",
        "'ilness' in shocks",
        "housing_grade == 'E'",
        "'E' == housing_grade",
        "support in ['none', 'some']",
        "water_safe < schooling_guaranteed",
        "1 in shocks",
        "'A' in 'ABC'",
        "size(wages) > 0",
        "size(shocks, shocks) > 0",
        "min(1) > 0",
        "max(1, water_safe) > 0",
        "shocks[0] == 'illness'",
        "water_safe ? 1 : 'one'",
        "shocks == ['illness']",
        "size([1, 2]) > 0",
        "{'a': 1} == {'a': 1}",
    ] {
        assert_eq!(refused(text).0, "RULE_TYPE_WRONG", "{text}");
    }
}

#[test]
fn loops_and_what_is_too_large_are_refused() {
    for text in [
        "shocks.all(x, x == 'illness')",
        "shocks.exists(x, true)",
        "size(shocks.map(x, x)) > 0",
        "shocks.exists_one(x, true)",
    ] {
        let (reason, text) = refused(text);
        assert_eq!(reason, "RULE_UNBOUNDED");
        assert!(text.contains("loop"), "{text}");
    }
    let within = |levels: usize| format!("{}water_safe{}", "!(".repeat(levels), ")".repeat(levels));
    assert!(Expression::compile(&within(60)).is_ok());
    for text in [
        within(64),
        within(65),
        within(900),
        format!("{} > 0", "1+".repeat(990) + "1"),
        format!("{}true", "true ? true : ".repeat(140)),
        format!("size([{}]) > 0", vec!["'a'"; 1_001].join(",")),
        "(".repeat(2_000),
        "[".repeat(2_000),
        "{1:".repeat(660),
        "a(".repeat(990),
    ] {
        assert_eq!(refused(&text).0, "RULE_UNBOUNDED", "{text:.60}");
    }
}

#[test]
fn no_text_of_the_greatest_length_needs_more_stack_than_there_is() {
    for piece in [
        "(", ")(", "!", "-", "a.", "a[0]", "a?b:", "f(", "1+", "true&&", "[", "{", "a{", ".", "'", "\"", "\\", "//",
        "a==", "not ",
    ] {
        for text in [piece.repeat(2_000 / piece.len()), format!("{}a", piece.repeat(1_999 / piece.len()))] {
            assert!(Expression::compile(&text).is_err(), "{piece}");
        }
    }
}

#[test]
fn a_text_that_is_no_expression_is_refused_with_the_place() {
    let (reason, text) = refused("wages > > 1");
    assert_eq!(reason, "RULE_SYNTAX");
    assert!(text.contains("line 1, character 9"), "{text}");
    for text in ["", " ", "wages >", "wages > 1 wages", "'open", "if", "a = b", "工资 > 1"] {
        assert_eq!(refused(text).0, "RULE_SYNTAX", "{text:?}");
    }
}

#[test]
fn an_expression_says_which_fields_it_asks_about() {
    let asks = |text: &str| Expression::compile(text).unwrap().fields().iter().map(Field::name).collect::<Vec<_>>();
    assert_eq!(asks("water_safe || wages > line || 'water' in shocks"), ["wages", "line", "water_safe", "shocks"]);
    assert_eq!(asks("true"), Vec::<&str>::new());
}

#[test]
fn a_message_explains_a_hit() {
    let message = Message::compile(
        "人均 {yuan(per_capita_net_income)} 元, 线 { yuan(line) }; {persons} 人, {housing_grade} 级, {shocks}, {water_safe}",
    );
    let message = message.unwrap();
    assert_eq!(message.render(&inputs()), "人均 6250.00 元, 线 7000.00; 4 人, C 级, illness, true");
    assert_eq!(message.fields().iter().count(), 6);
    let faulty = Message::compile("{wages / elderly} of {yuan(wages * wages * wages)}").unwrap();
    assert_eq!(faulty.render(&inputs()), "? of ?");
}

#[test]
fn a_message_is_checked_when_it_is_stored() {
    for (text, reason) in [
        ("{", "RULE_SYNTAX"),
        ("}", "RULE_SYNTAX"),
        ("{}", "RULE_SYNTAX"),
        ("{persons} }", "RULE_SYNTAX"),
        ("{person}", "RULE_FIELD_UNKNOWN"),
        ("{yuan(water_safe)}", "RULE_TYPE_WRONG"),
        ("{yuan(1) + yuan(2)}", "RULE_SYNTAX"),
        ("{size(shocks.map(x, x))}", "RULE_UNBOUNDED"),
    ] {
        assert_eq!(Message::compile(text).unwrap_err().stated().reason, reason, "{text}");
    }
}

#[test]
fn what_was_asked_about_is_kept_and_restored() {
    let mut all = FieldSet::default();
    Field::all().for_each(|field| all.insert(field));
    let kept = inputs().literals(all);
    assert_eq!(kept.len(), Number::ALL.len() + Flag::ALL.len() + Word::ALL.len() + 1);
    assert_eq!((kept["persons"].as_str(), kept["housing_grade"].as_str()), ("4", "\"C\""));
    assert_eq!((kept["shocks"].as_str(), kept["water_safe"].as_str()), ("[\"illness\"]", "true"));
    assert_eq!(Inputs::restore(&kept, all), Ok(inputs()));
    for (name, literal) in [
        ("persons", "four"),
        ("water_safe", "yes"),
        ("housing_grade", "\"E\""),
        ("shocks", "[\"ilness\"]"),
        ("support", "none"),
    ] {
        let mut tampered = kept.clone();
        tampered.insert(name.to_owned(), literal.to_owned());
        assert!(Inputs::restore(&tampered, all).is_err(), "{name}");
        tampered.remove(name);
        assert!(Inputs::restore(&tampered, all).is_err(), "{name}");
    }
}

/// Arbitrary inputs, with numbers that sometimes overflow.
fn any_inputs() -> impl Strategy<Value = Inputs> {
    let number = prop_oneof![3 => -5..6_i64, 2 => Just(i64::MAX), 1 => Just(i64::MIN), 2 => any::<i64>()];
    let composition = (0..9_i16, 0..9_i16, 0..3_i16);
    let flags = prop::collection::vec(any::<bool>(), 6);
    let words = (select(HousingGrade::ALL), select(SocialSupport::ALL));
    let shocks = prop::collection::btree_set(select(Risk::ALL), 0..4);
    (composition, prop::collection::vec(number, 13), flags, words, shocks).prop_map(
        |(of, numbers, flags, words, shocks)| {
            let mut profile = profile();
            (profile.composition.persons, profile.composition.labourers, profile.composition.elderly) = of;
            let newest = &mut profile.newest;
            (newest.wages, newest.business, newest.property) = (numbers[0], numbers[1], numbers[2]);
            (newest.transfer, newest.business_expense, newest.out_of_pocket) = (numbers[3], numbers[4], numbers[5]);
            (newest.insurance_received, newest.net_income, newest.loss) = (numbers[6], numbers[7], numbers[8]);
            newest.per_capita_net_income = numbers[9];
            newest.previous_per_capita_net_income = flags[0].then_some(numbers[10]);
            (newest.schooling_guaranteed, newest.medical_guaranteed, newest.water_safe) =
                (flags[1], flags[2], flags[3]);
            (newest.housing_grade, profile.support, newest.shocks) = (words.0, words.1, shocks);
            (profile.lifted_from_poverty, profile.monitored) = (flags[4], flags[5]);
            Inputs::of(&profile, numbers[11])
        },
    )
}

fn int_text() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        3 => select(Number::ALL).prop_map(|number| number.name().to_owned()),
        2 => (0..20_i64).prop_map(|value| value.to_string()),
        1 => Just("size(shocks)".to_owned()),
    ];
    let tree = leaf.prop_recursive(3, 12, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            4 => (pair.clone(), select(&["+", "-", "*", "/", "%"])).prop_map(|((a, b), of)| format!("({a} {of} {b})")),
            1 => (pair.clone(), select(&["min", "max"])).prop_map(|((a, b), of)| format!("{of}({a}, {b})")),
            1 => inner.clone().prop_map(|a| format!("-({a})")),
            1 => (bool_leaf(), pair).prop_map(|(of, (a, b))| format!("({of} ? {a} : {b})")),
        ]
    });
    tree.boxed()
}

fn list(grades: &[HousingGrade]) -> String {
    let names: Vec<_> = grades.iter().map(|grade| format!("'{}'", grade.name())).collect();
    format!("[{}]", names.join(", "))
}

fn bool_leaf() -> BoxedStrategy<String> {
    let grades = prop::collection::vec(select(HousingGrade::ALL), 0..3);
    prop_oneof![
        select(Flag::ALL).prop_map(|flag| flag.name().to_owned()),
        select(Risk::ALL).prop_map(|risk| format!("'{}' in shocks", risk.name())),
        (select(HousingGrade::ALL), select(&["==", "!=", "<", ">="]))
            .prop_map(|(grade, of)| format!("housing_grade {of} '{}'", grade.name())),
        select(SocialSupport::ALL).prop_map(|support| format!("support == '{}'", support.name())),
        grades.clone().prop_map(|grades| format!("housing_grade in {}", list(&grades))),
        // Conditional texts and lists, also on conditions that may have no value.
        (grades, select(&["wages / elderly > 0", "water_safe", "'a' == 'b'"])).prop_map(|(grades, of)| {
            format!("(({of}) ? housing_grade : 'A') in (({of}) ? {} : [housing_grade])", list(&grades))
        }),
        select(&["wages / elderly > 0", "monitored"]).prop_map(|of| format!("(({of}) ? 'A' : 'B') in []")),
    ]
    .boxed()
}

/// Arbitrary conditions.
pub fn bool_text() -> BoxedStrategy<String> {
    let compared = (int_text(), int_text(), select(&["==", "!=", "<", "<=", ">", ">="]))
        .prop_map(|(a, b, of)| format!("({a} {of} {b})"));
    let leaf = prop_oneof![2 => bool_leaf(), 3 => compared];
    let tree = leaf.prop_recursive(4, 16, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            4 => (pair.clone(), select(&["&&", "||", "==", "!="])).prop_map(|((a, b), of)| format!("(({a}) {of} ({b}))")),
            1 => inner.clone().prop_map(|a| format!("!({a})")),
            1 => (inner, pair).prop_map(|(of, (a, b))| format!("(({of}) ? ({a}) : ({b}))")),
        ]
    });
    tree.boxed()
}

/// The result of crate `cel`'s interpreter. It parses, too, and is as recursive.
fn interpreted(text: &str, inputs: &Inputs) -> Option<bool> {
    parse::on_a_large_stack(|| interpret(text, inputs)).unwrap().unwrap()
}

fn interpret(text: &str, inputs: &Inputs) -> Option<bool> {
    let program = Program::compile(text).unwrap();
    let mut context = Context::default();
    context.add_function("min", |a: i64, b: i64| a.min(b)).unwrap();
    context.add_function("max", |a: i64, b: i64| a.max(b)).unwrap();
    for field in Field::all() {
        let value = match field {
            Field::Number(number) => Value::from(inputs.number(number)),
            Field::Flag(flag) => Value::from(inputs.flag(flag)),
            Field::Word(word) => Value::from(inputs.word(word)),
            Field::Shocks => Value::from(inputs.shocks().map(|risk| risk.name().to_owned()).collect::<Vec<_>>()),
        };
        context.add_variable_from_value(field.name(), value);
    }
    match program.execute(&context) {
        Ok(Value::Bool(holds)) => Some(holds),
        Ok(other) => panic!("{text} is {other:?}"),
        Err(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_interpreter_says_the_same(text in bool_text(), inputs in any_inputs()) {
        match Expression::compile(&text) {
            Ok(compiled) => prop_assert_eq!(compiled.eval_bool(&inputs).ok(), interpreted(&text, &inputs), "{}", text),
            Err(error) => prop_assert_eq!(error.stated().reason, "RULE_UNBOUNDED", "{}: {}", text, error),
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}|[-a-z0-9_(){}\\[\\]!?:.,'\"+*/%<>=&| ]{0,80}") {
        let _ = Expression::compile(&text).map(|compiled| compiled.eval_bool(&inputs()));
        let _ = Message::compile(&text).map(|message| message.render(&inputs()));
    }

    #[test]
    fn no_mixture_of_what_expressions_are_made_of_makes_it_panic(parts in prop::collection::vec(
        select(&["wages", "shocks", "in", "(", ")", "[", "]", "?", ":", "!", "-", "&&", "||", "==", "<", "'A'", "1", ".", ",", "size", "true"]),
        0..25,
    )) {
        let mut text = String::new();
        for part in parts {
            let _ = write!(text, "{part} ");
        }
        let _ = Expression::compile(&text).map(|compiled| compiled.eval_bool(&inputs()));
    }

    #[test]
    fn inputs_survive_being_kept(inputs in any_inputs()) {
        let mut all = FieldSet::default();
        Field::all().for_each(|field| all.insert(field));
        prop_assert_eq!(Inputs::restore(&inputs.literals(all), all), Ok(inputs));
    }
}
