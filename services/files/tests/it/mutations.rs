//! Random changes to files: whatever is in one, it is read or refused, and nothing panics.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tongxin_files::Form;
use tongxin_proto::{
    monitoring::v1::{HouseholdDraft, ObservationDraft},
    pairing::v1::RegionRow,
};

use crate::support::{Book, read_by, row, text};

/// How long files are tried; `TONGXIN_MUTATIONS_SEED` repeats a run.
const FOR: Duration = Duration::from_mins(1);

/// `SplitMix64`: few lines, and the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// Pieces that have a meaning somewhere.
const PIECES: [&str; 40] = [
    ",",
    ";",
    "\t",
    "\"",
    "\"\"",
    "\n",
    "\r",
    "\r\n",
    "\u{feff}",
    "\u{200b}",
    "\0",
    "\u{7}",
    "=",
    "'",
    "1e400",
    "-1",
    "9999999999999999999",
    "NaN",
    "2025-02-30",
    "0000-00-00",
    "太",
    "(",
    "（",
    "<c>",
    "</c>",
    "<row>",
    "<v>",
    "</v>",
    "<f/>",
    "t=\"s\"",
    "t=\"d\"",
    "s=\"1\"",
    "s=\"99999999999\"",
    "r=\"ZZZZ1\"",
    "r=\"A0\"",
    "&amp;",
    "&#0;",
    "<![CDATA[",
    "<!--",
    "natural_disaster/flood:1",
];

fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(6) {
            0 => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len())].bytes())),
            1 => drop(bytes.drain(at..end)),
            2 if at < bytes.len() => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            4 => bytes.truncate(at),
            _ => drop(bytes.splice(at..end, PIECES[random.below(PIECES.len())].bytes())),
        }
    }
}

fn households() -> String {
    "household_number,region_code,support,name,id_number,relation,health,labour,schooling,insurances,work,registered_on\n\
     1,441823107200,none,陈伯,11010519491231002X,head,serious_illness;disabled,weak,not_at_school,resident_medical,farming,2025-01-01\n\
     1,,,\"李\n姨\",110101202311012176,spouse,healthy,ordinary,not_at_school,,none,\n\
     2,441823107200,none,张三,360426199101010071,head,healthy,ordinary,not_at_school,,none,2025年1月1日\n"
        .to_owned()
}

fn observations() -> String {
    "household_number;window_ends_on;wages;business;property;transfer;business_expense;out_of_pocket;insurance_received;\
     schooling_guaranteed;medical_guaranteed;housing_grade;water_safe;shocks\n\
     1;2025-06-30;20000.5;;-3;0;0;0;0;是;0;b;true;\"natural_disaster/flood:15000; accident:0.01\"\n"
        .to_owned()
}

fn book() -> Book {
    let header = ["code", "name", "level", "parent_code", "assisted"].map(text);
    let cells = ["><v>441823107000</v>", "t=\"s\"><v>0</v>", &text("town"), &text("441823000000"), "><f>1</f><v>1</v>"];
    let rows = row(1, &header.each_ref().map(String::as_str)) + &row(2, &cells) + &row(4, &cells);
    Book::of(&rows, "<mergeCells count=\"1\"><mergeCell ref=\"A9:A12\"/></mergeCells>")
}

/// One file with random changes.
fn file(random: &mut Random) -> Vec<u8> {
    let mut bytes = match random.below(6) {
        0 => households().into_bytes(),
        1 => observations().into_bytes(),
        2 => observations().encode_utf16().flat_map(u16::to_le_bytes).collect(),
        3 => book().zipped(),
        _ => {
            let mut book = book();
            let part = match random.below(5) {
                0 => &mut book.workbook,
                1 => &mut book.styles,
                2 => &mut book.strings,
                _ => &mut book.sheet,
            };
            let mut changed = std::mem::take(part).into_bytes();
            change(&mut changed, random);
            *part = String::from_utf8_lossy(&changed).into_owned();
            return book.zipped();
        }
    };
    change(&mut bytes, random);
    bytes
}

#[test]
fn no_file_makes_the_reader_panic() {
    #[expect(clippy::disallowed_methods, reason = "a run is repeated by its seed")]
    let stated = std::env::var("TONGXIN_MUTATIONS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = stated.unwrap_or_else(|| u64::from(std::process::id()).wrapping_mul(0x9e37_79b9));
    let forms = (Form::of::<HouseholdDraft>(), Form::of::<ObservationDraft>(), Form::of::<RegionRow>());
    let (begun, mut files) = (Instant::now(), 0_u64);
    // A panic within the library that reads workbooks is caught, and the file refused. Ours would end this test.
    let caught = Arc::new(AtomicU64::new(0));
    let (counted, usual) = (Arc::clone(&caught), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if info.location().is_some_and(|place| place.file().contains("calamine")) {
            counted.fetch_add(1, Relaxed);
        } else {
            usual(info);
        }
    }));
    while begun.elapsed() < FOR {
        let of_file = seed.wrapping_add(files);
        let bytes = file(&mut Random(of_file));
        let tried = catch_unwind(AssertUnwindSafe(|| {
            read_by::<HouseholdDraft>(&forms.0, &bytes);
            read_by::<ObservationDraft>(&forms.1, &bytes);
            read_by::<RegionRow>(&forms.2, &bytes);
        }));
        assert!(tried.is_ok(), "TONGXIN_MUTATIONS_SEED={of_file} repeats it");
        files += 1;
    }
    println!("{files} files, seed {seed}, {} panics of the library", caught.load(Relaxed));
    assert!(files > 1_000, "{files} files are too few to say anything");
}
