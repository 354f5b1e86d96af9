//! Finds the wanted keys among those that senders write.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

const KEY: u8 = 1 << 3 | 2; // the tag of KeyValue.key
const AHEAD: usize = 3; // that many expected keys are looked at, for some are optional

/// Hashes wanted keys. They are ours; what senders write is hashed with a secret, so that they cannot make it slow.
#[derive(Default)]
struct KeyHasher(u64);

impl KeyHasher {
    #[inline(always)]
    fn mix(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }
}

impl Hasher for KeyHasher {
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        bytes.chunks_exact(8).for_each(|word| self.mix(u64::from_le_bytes(word.try_into().unwrap_or_default())));
        match bytes.last_chunk() {
            Some(last) => self.mix(u64::from_le_bytes(*last)),
            None => bytes.iter().for_each(|&byte| self.mix(byte.into())),
        }
    }
    fn write_usize(&mut self, length: usize) {
        self.0 = length as u64;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// For a cache in front of a safe map: who makes hashes equal does without the cache.
#[inline(always)]
pub fn quick_hash(text: &[u8]) -> u64 {
    let mut hasher = KeyHasher::default();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Wanted keys, each with its place, and the keys of the last record: the next one mostly has them in the same order.
#[derive(Default)]
pub struct Keys<'a> {
    places: HashMap<&'a [u8], usize, BuildHasherDefault<KeyHasher>>,
    order: Vec<Seen<'a>>,
    next: usize, // in `order`
}

/// The field of a key, its tag and length included, and the key's place, if it is wanted.
type Seen<'a> = (&'a [u8], Option<usize>);

impl<'a> Keys<'a> {
    pub fn want(&mut self, key: &'a [u8], place: usize) {
        self.places.insert(key, place);
    }

    #[inline(always)]
    pub fn place(&self, key: &[u8]) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// A record begins.
    pub fn begin(&mut self) {
        self.next = 0;
    }

    /// What the next attribute of the record begins with, if that is one of the expected keys.
    #[inline(always)]
    pub fn expected(&mut self, attribute: &[u8]) -> Option<Seen<'a>> {
        let ahead = self.order.get(self.next..)?;
        let skipped = ahead.iter().take(AHEAD).position(|(field, _)| begins(attribute, field))?;
        self.next += skipped + 1;
        Some(ahead[skipped])
    }

    /// Notes what the next attribute begins with, as it was not expected.
    pub fn expect(&mut self, seen: Seen<'a>) {
        match self.order.get_mut(self.next) {
            Some(other) => *other = seen,
            None => self.order.push(seen),
        }
        self.next += 1;
    }
}

/// The field of the key, if the attribute begins with that, and with a length in one byte.
pub fn field_of_key(attribute: &[u8]) -> Option<&[u8]> {
    match *attribute {
        [KEY, length @ ..=0x7f, ..] => attribute.get(..2 + usize::from(length)),
        _ => None,
    }
}

#[inline(always)]
fn begins(attribute: &[u8], field: &[u8]) -> bool {
    attribute.get(..field.len()).is_some_and(|start| same(start, field))
}

/// Whether they are equal; for short ones faster than `==`, which calls a function.
#[inline(always)]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let words = || one.chunks_exact(8).zip(other.chunks_exact(8));
    match (one.last_chunk::<8>(), other.last_chunk::<8>()) {
        (Some(last), Some(others)) => {
            one.len() == other.len() && last == others && words().all(|(one, other)| one == other)
        }
        _ => one == other,
    }
}
