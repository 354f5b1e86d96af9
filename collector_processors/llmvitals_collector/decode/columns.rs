//! What the walk has found becomes columns, and those become bytes.

use crate::keys::{quick_hash, same, Keys};
use std::collections::HashMap;

const RECENT: usize = 512; // a few texts of each column come again and again
const TEXT: usize = 0;
const NUMBER: usize = 1;
const HASH: usize = 2;
const VECTOR: usize = 3;

/// An AnyValue, as far as it is of use.
#[derive(Clone, Copy, Default)]
pub enum Value<'a> {
    #[default]
    Nothing,
    Text(&'a [u8]),
    Number(f64),
    Array {
        first: &'a [u8],
        length: usize,
    }, // the text that it begins with; its numbers stand elsewhere
}

/// The distinct texts of a request, in the order of their codes; the first is "".
pub struct Texts<'a> {
    codes: HashMap<&'a [u8], u32>,
    recent: Vec<(&'a [u8], u32)>, // by their quick hash, the last that had it
    pub texts: Vec<&'a [u8]>,
}

impl<'a> Texts<'a> {
    pub fn new() -> Self {
        let empty = &b""[..];
        Texts { codes: HashMap::from([(empty, 0)]), recent: vec![(empty, 0); RECENT], texts: vec![empty] }
    }

    pub fn code(&mut self, text: &'a [u8]) -> u32 {
        let recent = &mut self.recent[quick_hash(text) as usize % RECENT];
        if same(recent.0, text) {
            return recent.1;
        }
        let next = self.texts.len() as u32;
        let code = *self.codes.entry(text).or_insert(next);
        if code == next {
            self.texts.push(text);
        }
        *recent = (text, code);
        code
    }
}

struct Cell {
    row: u32,
    form: usize,
    bits: u64, // a code, a number, a hash, or where in `Table::vectors` a vector begins
}

struct Column {
    hashed: bool,
    width: usize, // of a vector, else 0
    cells: Vec<Cell>,
}

/// Wanted keys, each with its place, and at each place what the rows have.
#[derive(Default)]
pub struct Table<'a> {
    pub keys: Keys<'a>,
    columns: Vec<Column>,
    vectors: Vec<u64>,
}

impl<'a> Table<'a> {
    /// `argument`: 0, or 1 for texts of which only a hash is wanted, or the width of a vector and one more.
    pub fn want(&mut self, key: &'a [u8], argument: u32) {
        self.keys.want(key, self.columns.len());
        let width = argument.saturating_sub(1) as usize;
        self.columns.push(Column { hashed: argument == 1, width, cells: Vec::new() });
    }

    /// `numbers` are those of the value, where it is an array. Of a key that stands twice the last counts.
    pub fn note(&mut self, row: u32, place: usize, value: Value<'a>, numbers: &[f64], texts: &mut Texts<'a>) {
        let column = &mut self.columns[place];
        if column.cells.last().is_some_and(|cell| cell.row == row) {
            column.cells.pop();
        }
        let (form, bits) = match value {
            Value::Array { length, .. } if column.width > 0 => {
                if length != column.width || numbers.len() != length {
                    return;
                }
                self.vectors.extend(numbers.iter().map(|number| number.to_bits()));
                (VECTOR, (self.vectors.len() - length) as u64)
            }
            Value::Text(text) | Value::Array { first: text, .. } if column.width == 0 && !text.is_empty() => {
                if column.hashed {
                    (HASH, 1 << 32 | crc32(text))
                } else {
                    (TEXT, texts.code(text).into())
                }
            }
            Value::Number(number) if column.width == 0 && !column.hashed => (NUMBER, number.to_bits()),
            _ => return,
        };
        column.cells.push(Cell { row, form, bits });
    }
}

/// A half of a trace id, or all of a span's; 0 where the id has not the length that it should.
pub fn id(bytes: &[u8], length: usize, from: usize) -> u64 {
    let half = if bytes.len() == length { bytes[from..from + 8].try_into().ok() } else { None };
    half.map_or(0, u64::from_be_bytes)
}

/// <https://www.zlib.net/crc_v3.txt>, eight bytes at a time: `TABLES[n]` has what a byte comes to, n bytes before the end.
fn crc32(text: &[u8]) -> u64 {
    const TABLES: [[u32; 256]; 8] = {
        let (mut tables, mut at) = ([[0; 256]; 8], 0);
        while at < 8 * 256 * 8 {
            let (distance, byte) = (at / 8 / 256, at / 8 % 256);
            let crc = match (at % 8, distance) {
                (0, 0) => byte as u32,
                (0, _) => tables[distance - 1][byte],
                _ => tables[distance][byte],
            };
            tables[distance][byte] = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            at += 1;
        }
        tables
    };
    let words = text.chunks_exact(8);
    let rest = words.remainder();
    let crc = words.fold(!0, |crc: u32, word| {
        let word = u64::from_le_bytes(word.try_into().unwrap_or_default()) ^ u64::from(crc);
        let bytes = word.to_be_bytes(); // the last one first
        bytes.iter().zip(&TABLES).fold(0, |crc, (&byte, table)| crc ^ table[usize::from(byte)])
    });
    u64::from(!rest.iter().fold(crc, |crc, byte| crc >> 8 ^ TABLES[0][usize::from(crc as u8 ^ byte)]))
}

/// Columns one behind the other, each padded to eight bytes.
pub struct Columns(pub Vec<u8>);

impl Columns {
    fn put<const N: usize>(&mut self, cells: impl IntoIterator<Item = [u8; N]>) {
        cells.into_iter().for_each(|cell| self.0.extend_from_slice(&cell));
        self.0.resize(self.0.len().next_multiple_of(8), 0);
    }

    pub fn words(&mut self, cells: impl IntoIterator<Item = u64>) {
        self.put(cells.into_iter().map(u64::to_ne_bytes));
    }

    pub fn codes(&mut self, cells: impl IntoIterator<Item = u32>) {
        self.put(cells.into_iter().map(u32::to_ne_bytes));
    }

    pub fn flags(&mut self, cells: impl IntoIterator<Item = bool>) {
        self.put(cells.into_iter().map(|flag| [u8::from(flag)]));
    }

    /// How many columns there are, for each of them four times its key's place plus its form, and the columns.
    pub fn table(&mut self, table: &Table, rows: usize) {
        let (mut heads, mut columns) = (Vec::new(), Columns(Vec::new()));
        for (place, column) in table.columns.iter().enumerate() {
            for form in [TEXT, NUMBER, HASH, VECTOR] {
                let mut cells = column.cells.iter().filter(|cell| cell.form == form).peekable();
                if cells.peek().is_none() {
                    continue;
                }
                heads.push((place * 4 + form) as u64);
                let width = if form == VECTOR { column.width } else { 1 };
                let mut dense = vec![if form == NUMBER { f64::NAN.to_bits() } else { 0 }; rows * width];
                for Cell { row, bits, .. } in cells {
                    let (at, from) = (*row as usize * width, *bits as usize);
                    match form {
                        VECTOR => dense[at..at + width].copy_from_slice(&table.vectors[from..from + width]),
                        _ => dense[at] = *bits,
                    }
                }
                match form {
                    TEXT => columns.codes(dense.into_iter().map(|code| code as u32)),
                    _ => columns.words(dense),
                }
            }
        }
        self.words([heads.len() as u64]);
        self.words(heads);
        self.0.append(&mut columns.0);
    }

    pub fn texts(&mut self, texts: &[&[u8]]) {
        let characters = |text: &&[u8]| text.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u64;
        self.words(texts.iter().map(characters));
        texts.iter().for_each(|text| self.0.extend_from_slice(text));
    }
}
