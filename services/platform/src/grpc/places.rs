//! Limits of concurrent work, in total and for one subject. A subject that takes all that it can get keeps nobody else
//! out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A limited number of places for requests, or bytes of their bodies.
pub(super) struct Pot {
    size: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    of: HashMap<String, usize>,
}

/// Who a place is for, and the share of the pot that the owner may have.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) name: String,
    /// Percent of the pot, at least one place.
    pub(super) share: u32,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// All are taken.
    Pot,
    /// The owner has its share.
    Share,
}

impl Pot {
    pub(super) fn new(size: usize) -> Arc<Self> {
        Arc::new(Self { size, taken: Mutex::default() })
    }

    /// One place.
    pub(super) fn take(self: &Arc<Self>, owner: Option<Owner>) -> Result<Place, Full> {
        let mut place = Place { pot: Arc::clone(self), owner, held: 0 };
        place.grow(1)?;
        Ok(place)
    }

    /// A place that holds nothing yet.
    pub(super) fn open(self: &Arc<Self>, owner: Option<Owner>) -> Place {
        Place { pot: Arc::clone(self), owner, held: 0 }
    }

    /// A place for one owner, with a limit of its own.
    pub(super) fn take_at_most(self: &Arc<Self>, name: String, most: usize) -> Result<Place, Full> {
        if self.taken().of.get(&name).is_some_and(|held| *held >= most) {
            return Err(Full::Share);
        }
        self.take(Some(Owner { name, share: 100 }))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn share(&self, percent: u32) -> usize {
        let percent = usize::try_from(percent).unwrap_or(100).min(100);
        self.size.saturating_mul(percent).div_ceil(100).max(1)
    }
}

/// A part of a pot, which is returned on drop.
pub(super) struct Place {
    pot: Arc<Pot>,
    owner: Option<Owner>,
    held: usize,
}

impl Place {
    /// Takes more from the pot.
    pub(super) fn grow(&mut self, by: usize) -> Result<(), Full> {
        let mut taken = self.pot.taken();
        if taken.all.saturating_add(by) > self.pot.size {
            return Err(Full::Pot);
        }
        if let Some(owner) = &self.owner {
            let held = taken.of.get(&owner.name).copied().unwrap_or_default();
            if held.saturating_add(by) > self.pot.share(owner.share) {
                return Err(Full::Share);
            }
            taken.of.insert(owner.name.clone(), held + by);
        }
        taken.all += by;
        self.held += by;
        Ok(())
    }

    /// Returns some to the pot.
    pub(super) fn shrink(&mut self, by: usize) {
        let by = by.min(self.held);
        let mut taken = self.pot.taken();
        taken.all -= by;
        self.held -= by;
        if let Some(owner) = &self.owner
            && let Some(held) = taken.of.get_mut(&owner.name)
        {
            *held -= by;
            if *held == 0 {
                taken.of.remove(&owner.name);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shrink(self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str, share: u32) -> Owner {
        Owner { name: name.to_owned(), share }
    }

    #[test]
    fn a_subject_has_its_share_and_no_more() {
        let pot = Pot::new(8);
        let held: Vec<_> = (0..2).map(|_| pot.take(Some(owner("greedy", 25))).unwrap()).collect();
        assert_eq!(pot.take(Some(owner("greedy", 25))).err(), Some(Full::Share));
        let others: Vec<_> = (0..6).map(|nth| pot.take(Some(owner(&nth.to_string(), 25))).unwrap()).collect();
        assert_eq!(pot.take(Some(owner("late", 25))).err(), Some(Full::Pot));
        drop(others);
        drop(held);
        assert!(pot.take(Some(owner("greedy", 25))).is_ok());
        assert!(pot.taken().of.is_empty(), "those who hold nothing are forgotten");
    }

    #[test]
    fn a_share_is_one_place_at_least_and_all_at_most() {
        let pot = Pot::new(2);
        let _one = pot.take(Some(owner("one", 0))).unwrap();
        assert_eq!(pot.take(Some(owner("one", 0))).err(), Some(Full::Share));
        let _all = pot.take(Some(owner("all", 400))).unwrap();
        assert_eq!(pot.take(Some(owner("all", 400))).err(), Some(Full::Pot));
    }

    #[test]
    fn bytes_are_counted_until_they_are_given_back() {
        let pot = Pot::new(100);
        let mut bytes = pot.open(Some(owner("reader", 50)));
        bytes.grow(50).unwrap();
        assert_eq!(bytes.grow(1).err(), Some(Full::Share));
        bytes.shrink(20);
        bytes.grow(20).unwrap();
        drop(bytes);
        assert_eq!(pot.taken().all, 0);
    }
}
