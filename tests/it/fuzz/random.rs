//! Random numbers, and bytes broken by them.

use crate::fuzz::LONGEST;

/// Pieces that mean something to one reader or another.
pub(super) const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\n",
    "\n- ",
    "---\n",
    "...\n",
    "&a ",
    "*a ",
    "<<: ",
    "!!str ",
    "!x ",
    "${A}",
    "$${A}",
    "$(A)",
    "|\n  ",
    ">-\n",
    "? ",
    "# ",
    "%YAML 1.2\n",
    "null",
    "1e999",
    "0x",
    "\u{feff}",
    "\u{0}",
    "ä",
    "PK\u{1}\u{2}",
    "PK\u{3}\u{4}",
    "PK\u{5}\u{6}",
    "PK\u{6}\u{6}",
    "PK\u{6}\u{7}",
    "::",
    "../",
    "@sha256:",
    "\u{1}\u{0}\u{8}\u{0}",
];

/// xorshift: small, and the same everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit.max(1)
    }

    pub(super) fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(6) {
            let place = self.below(input.len() + 1);
            let end = (place + self.below(64)).min(input.len());
            match self.below(7) {
                0 if place < input.len() => input[place] ^= 1 << self.below(8),
                1 if place < input.len() => input[place] = self.below(256) as u8,
                2 => drop(input.splice(place..place, PIECES[self.below(PIECES.len())].bytes())),
                3 => drop(input.drain(place..end)),
                4 => {
                    let piece = input[place..end].repeat(1 + self.below(40));
                    input.splice(place..place, piece);
                }
                5 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len() + 1);
                    input.truncate(place);
                    input.extend_from_slice(&other[from..]);
                }
                _ => input.truncate(place),
            }
            input.truncate(LONGEST);
        }
        input
    }
}
