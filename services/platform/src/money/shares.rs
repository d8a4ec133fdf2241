//! Divides amounts by shares.

use std::cmp::Reverse;

use super::{Error, Fen};

/// The whole in basis points (0.01 %).
const WHOLE: u32 = 10_000;

/// Divides an amount by shares in basis points (0.01 %), which must add up to 10,000.
///
/// By the largest remainder, and the first among equal ones: the parts always add up to the total, each is less than a
/// fen away from its exact value, a zero share gets nothing, and the parts of a reversal are those of the payment with
/// their signs changed.
///
/// # Errors
/// [`Error::SharesNotWhole`].
pub fn split_by_shares(total: Fen, shares: &[u32]) -> Result<Vec<Fen>, Error> {
    let sum = shares.iter().copied().map(u64::from).sum();
    if sum != u64::from(WHOLE) {
        return Err(Error::SharesNotWhole(sum));
    }

    let (total, whole) = (i128::from(total.get()), i128::from(WHOLE));
    let products = shares.iter().map(|share| total * i128::from(*share));
    let (mut parts, remainders): (Vec<_>, Vec<_>) = products.map(|product| (product / whole, product % whole)).unzip();

    let missing = total - parts.iter().sum::<i128>();
    let mut by_remainder: Vec<_> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|place| Reverse(remainders[*place].abs()));
    // Fewer fen are missing than there are parts with a remainder.
    for (place, _) in by_remainder.into_iter().zip(0..missing.abs()) {
        parts[place] += missing.signum();
    }
    parts.into_iter().map(Fen::from_wide).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fund_is_divided_among_its_sources() {
        let parts = split_by_shares(Fen::new(48_000_025), &[6000, 3000, 250, 750]).unwrap();
        let shown: Vec<_> = parts.iter().map(Fen::to_string).collect();
        assert_eq!(shown, ["288000.15", "144000.07", "12000.01", "36000.02"]);
    }

    #[test]
    fn the_first_of_equal_remainders_gets_the_fen() {
        assert_eq!(split_by_shares(Fen::new(1), &[5000, 5000]), Ok(vec![Fen::new(1), Fen::new(0)]));
        assert_eq!(split_by_shares(Fen::new(-1), &[5000, 5000]), Ok(vec![Fen::new(-1), Fen::new(0)]));
    }

    #[test]
    fn shares_that_are_not_the_whole_are_refused() {
        assert_eq!(split_by_shares(Fen::new(1), &[]), Err(Error::SharesNotWhole(0)));
        assert_eq!(split_by_shares(Fen::new(1), &[5000, 4999]), Err(Error::SharesNotWhole(9999)));
        let error = split_by_shares(Fen::new(1), &[u32::MAX, u32::MAX]).unwrap_err();
        assert_eq!(error, Error::SharesNotWhole(8_589_934_590));
    }

    /// Up to ten shares that add up to the whole, some of them zero.
    fn shares() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(0..=WHOLE, 0..10).prop_map(|mut cuts| {
            cuts.extend([0, WHOLE]);
            cuts.sort_unstable();
            cuts.windows(2).map(|pair| pair[1] - pair[0]).collect()
        })
    }

    proptest! {
        #[test]
        fn parts_always_add_up_to_the_total(total: i64, shares in shares()) {
            let parts = split_by_shares(Fen::new(total), &shares).unwrap();
            prop_assert_eq!(parts.len(), shares.len());
            prop_assert_eq!(Fen::checked_sum(parts), Ok(Fen::new(total)));
        }

        #[test]
        fn every_part_is_less_than_a_fen_from_exact(total: i64, shares in shares()) {
            for (part, share) in split_by_shares(Fen::new(total), &shares).unwrap().iter().zip(&shares) {
                let exact = i128::from(total) * i128::from(*share);
                let error = i128::from(part.get()) * i128::from(WHOLE) - exact;
                prop_assert!(error.abs() < i128::from(WHOLE));
                prop_assert!(*share > 0 || *part == Fen::ZERO);
            }
        }

        #[test]
        fn a_reversal_is_divided_like_its_payment(total in -i64::MAX..=i64::MAX, shares in shares()) {
            let paid = split_by_shares(Fen::new(total), &shares).unwrap();
            let reversed = split_by_shares(Fen::new(-total), &shares).unwrap();
            for (paid, reversed) in paid.into_iter().zip(reversed) {
                prop_assert_eq!(paid.checked_neg(), Ok(reversed));
            }
        }
    }
}
