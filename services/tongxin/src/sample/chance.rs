//! A random number generator with a seed that gives the same numbers on every machine (`SplitMix64`).

use chrono::{Days, NaiveDate};

pub struct Chance(u64);

impl Chance {
    /// A separate sequence for each seed and subject, so that subjects do not affect each other.
    pub fn of(seed: u64, subject: &str) -> Self {
        let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(subject.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, mix))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number below a bound, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Both inclusive.
    pub fn day(&mut self, first: NaiveDate, last: NaiveDate) -> NaiveDate {
        let days = usize::try_from((last - first).num_days()).unwrap_or(0);
        let offset = u64::try_from(self.below(days + 1)).unwrap_or(0);
        first.checked_add_days(Days::new(offset)).unwrap_or(first)
    }

    /// The numbers below a bound in random order.
    pub fn mixed(&mut self, bound: usize) -> Vec<usize> {
        let mut numbers: Vec<_> = (0..bound).collect();
        for last in (1..bound).rev() {
            numbers.swap(last, self.below(last + 1));
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_row_again() {
        let row = |seed, subject| {
            let mut chance = Chance::of(seed, subject);
            (0..5).map(|_| chance.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(row(1, "schools"), row(1, "schools"));
        assert_ne!(row(1, "schools"), row(2, "schools"));
        assert_ne!(row(1, "schools"), row(1, "villages"));
    }

    #[test]
    fn mixing_loses_nobody() {
        let mut mixed = Chance::of(7, "x").mixed(289);
        assert_ne!(mixed, (0..289).collect::<Vec<_>>());
        mixed.sort_unstable();
        assert_eq!(mixed, (0..289).collect::<Vec<_>>());
    }

    #[test]
    fn days_lie_between_their_bounds() {
        let [first, last] = [1, 3].map(|day| NaiveDate::from_ymd_opt(2025, 1, day).unwrap());
        let mut chance = Chance::of(1, "days");
        let days: std::collections::BTreeSet<_> = (0..100).map(|_| chance.day(first, last)).collect();
        assert_eq!((days.len(), days.first(), days.last()), (3, Some(&first), Some(&last)));
    }
}
