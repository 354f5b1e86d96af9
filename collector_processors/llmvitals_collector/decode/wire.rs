//! Reads the wire format, and refuses in it what upb refuses. <https://protobuf.dev/programming-guides/encoding/>

use Payload::*;

const TAG_BYTES: usize = 5; // of a length, too
const VARINT_BYTES: usize = 10;

pub struct Malformed;
pub type Read<T> = Result<T, Malformed>;

pub enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Group,
    Fixed32(u32),
}

/// The bytes of a message that are yet to be read, and how many levels of messages or groups there may be below it.
pub struct Fields<'a> {
    pub rest: &'a [u8],
    pub depth: u32,
}

impl<'a> Fields<'a> {
    /// The next field: its number, and what it holds.
    #[inline(always)]
    pub fn field(&mut self) -> Read<(u32, Payload<'a>)> {
        match self.tag()? {
            (0, _) => Err(Malformed),
            (number, wire_type) => Ok((number, self.payload(number, wire_type)?)),
        }
    }

    #[inline(always)]
    fn tag(&mut self) -> Read<(u32, u32)> {
        let tag = u32::try_from(self.varint(TAG_BYTES)?).map_err(|_| Malformed)?;
        Ok((tag >> 3, tag & 7))
    }

    #[inline(always)]
    fn payload(&mut self, number: u32, wire_type: u32) -> Read<Payload<'a>> {
        Ok(match wire_type {
            0 => Varint(self.varint(VARINT_BYTES)?),
            1 => Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let length = self.varint(TAG_BYTES)?;
                Bytes(self.take(length)?)
            }
            3 => self.skip_group(number)?,
            5 => Fixed32(u32::from_le_bytes(self.fixed()?)),
            _ => return Err(Malformed),
        })
    }

    /// OTLP has no groups, but an unknown field may be one. Within it upb takes the number 0, too.
    #[cold]
    fn skip_group(&mut self, of: u32) -> Read<Payload<'a>> {
        let outside = self.depth;
        self.depth = outside.checked_sub(1).ok_or(Malformed)?;
        loop {
            let (number, wire_type) = self.tag()?;
            if wire_type == 4 {
                self.depth = outside;
                return if number == of { Ok(Group) } else { Err(Malformed) };
            }
            self.payload(number, wire_type)?;
        }
    }

    /// Bits beyond the 64th are dropped, as upb drops them.
    #[inline(always)]
    fn varint(&mut self, longest: usize) -> Read<u64> {
        match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                Ok(byte.into())
            }
            _ => self.long_varint(longest),
        }
    }

    fn long_varint(&mut self, longest: usize) -> Read<u64> {
        let mut value = 0;
        for (place, &byte) in self.rest.iter().take(longest).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                self.rest = &self.rest[place + 1..];
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    #[inline(always)]
    pub fn take(&mut self, length: u64) -> Read<&'a [u8]> {
        if length > self.rest.len() as u64 {
            return Err(Malformed);
        }
        let (taken, rest) = self.rest.split_at(length as usize);
        self.rest = rest;
        Ok(taken)
    }

    #[inline(always)]
    pub fn fixed<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.take(N as u64)?.try_into().map_err(|_| Malformed)
    }
}

#[inline(always)]
pub fn check_utf8(bytes: &[u8]) -> Read<()> {
    if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() {
        Ok(())
    } else {
        Err(Malformed)
    }
}

/// The bytes of a string.
#[inline(always)]
pub fn utf8(bytes: &[u8]) -> Read<&[u8]> {
    check_utf8(bytes).map(|()| bytes)
}
