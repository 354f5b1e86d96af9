//! Walks the bytes of an OTLP request once and fills the columns of `Records`: the fast twin of protobuf.py.
//!
//! It refuses what the official classes refuse, whether or not anyone wants the field, and reads the rest as they do:
//! messages that stand where one is due are merged; a known number in another wire type is an unknown field, and
//! skipped. <https://github.com/open-telemetry/opentelemetry-proto>

mod columns;
mod keys;
mod wire;

use columns::{id, Columns, Table, Texts, Value};
use keys::field_of_key;
use std::collections::HashMap;
use std::panic::catch_unwind;
use wire::{check_utf8, utf8, Fields, Malformed, Payload, Payload::*, Read};

const DEEPEST: u32 = 100; // how deep messages and groups may nest in the request, for upb
const MOST_RECORDS: usize = 1 << 18; // as in walk.py
const SPAN_KIND_CLIENT: i32 = 3;
const STATUS_CODE_ERROR: i32 = 2;
const TRACE_FLAGS: u32 = 0xff;
const SAMPLED: u32 = 1; // https://www.w3.org/TR/trace-context/#sampled-flag

// The messages. Constants and no enum, so that each has a loop of its own, compiled for its fields.
const REQUEST: u8 = 0;
const OF_RESOURCE: u8 = 1; // ResourceSpans or ResourceLogs
const RESOURCE: u8 = 2;
const ENTITY_REF: u8 = 3;
const OF_SCOPE: u8 = 4; // ScopeSpans or ScopeLogs
const SCOPE: u8 = 5;
const SPAN: u8 = 6;
const LOG_RECORD: u8 = 7;
const EVENT: u8 = 8;
const LINK: u8 = 9;
const STATUS: u8 = 10;
const KEY_VALUE: u8 = 11;
const ANY_VALUE: u8 = 12;
const ARRAY: u8 = 13;
const ELEMENT: u8 = 14; // an AnyValue of the array
                        // Nobody wants these, or what stands as deep as these; they are only checked.
const OTHER_KEY_VALUE: u8 = 15;
const OTHER_ANY_VALUE: u8 = 16;
const OTHER_ARRAY: u8 = 17;
const OTHER_LIST: u8 = 18;

// Of what a wanted key is an attribute.
const OF_RECORDS: usize = 0;
const OF_RESOURCES: usize = 1;
const OF_EVENTS: usize = 2;

#[derive(Default)]
struct Record<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_id: &'a [u8],
    start: u64,
    end: u64,
    observed: u64,
    failed: bool,
    client: bool,
    flags: u32,
    name: &'a [u8],
    trace_state: &'a [u8],
}

struct Walk<'a> {
    of_logs: bool,
    tables: [Table<'a>; 3],
    event_names: HashMap<&'a [u8], (bool, u32)>, // whether each is kept, and how many spans had begun at the last one
    texts: Texts<'a>,
    records: Vec<Record<'a>>,
    scopes: Vec<u32>,
    resources: Vec<u64>,          // how many records each has
    events: Vec<(u32, u32, u64)>, // the row of the span, the name, the time
    // What is being read:
    record: Record<'a>,
    scope: &'a [u8],
    event: (&'a [u8], u64),
    event_values: Vec<(usize, Value<'a>)>,
    table: usize,
    place: Option<usize>,
    value: Value<'a>,
    element: Value<'a>,
    numbers: Vec<f64>, // of the array that the value is
}

impl<'a> Walk<'a> {
    fn message<const MESSAGE: u8>(&mut self, bytes: &'a [u8], depth: u32) -> Read<()> {
        let depth = depth.checked_sub(1).ok_or(Malformed)?;
        let mut fields = Fields { rest: bytes, depth };
        while !fields.rest.is_empty() {
            let (number, payload) = fields.field()?;
            match MESSAGE {
                REQUEST..=SCOPE => self.field_around_records::<MESSAGE>(number, payload, depth)?,
                SPAN..=STATUS => self.field_of_record::<MESSAGE>(number, payload, depth)?,
                KEY_VALUE..=ELEMENT => self.field_of_attribute::<MESSAGE>(number, payload, depth)?,
                _ => self.field_of_other::<MESSAGE>(number, payload, depth)?,
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn field_around_records<const MESSAGE: u8>(&mut self, number: u32, payload: Payload<'a>, depth: u32) -> Read<()> {
        match (MESSAGE, number, payload) {
            (REQUEST, 1, Bytes(of_resource)) => {
                let before = self.records.len();
                self.message::<OF_RESOURCE>(of_resource, depth)?;
                self.resources.push((self.records.len() - before) as u64);
            }
            (OF_RESOURCE, 1, Bytes(resource)) => {
                self.tables[OF_RESOURCES].keys.begin();
                self.message::<RESOURCE>(resource, depth)?
            }
            (OF_RESOURCE, 2, Bytes(of_scope)) => {
                self.scope = b"";
                self.message::<OF_SCOPE>(of_scope, depth)?;
                let scope = self.texts.code(self.scope);
                self.scopes.resize(self.records.len(), scope);
            }
            (RESOURCE, 1, Bytes(attribute)) => {
                if let Some(place) = self.attribute(OF_RESOURCES, attribute, depth)? {
                    let text = if let Value::Text(_) = self.value { self.value } else { Value::Nothing };
                    let row = self.resources.len() as u32;
                    self.tables[OF_RESOURCES].note(row, place, text, &[], &mut self.texts);
                }
            }
            (RESOURCE, 3, Bytes(entity)) => self.message::<ENTITY_REF>(entity, depth)?,
            (OF_SCOPE, 1, Bytes(scope)) => self.message::<SCOPE>(scope, depth)?,
            (OF_SCOPE, 2, Bytes(_)) if self.records.len() == MOST_RECORDS => return Err(Malformed),
            (OF_SCOPE, 2, Bytes(record)) => {
                self.tables[OF_RECORDS].keys.begin();
                if self.of_logs {
                    self.message::<LOG_RECORD>(record, depth)?;
                } else {
                    self.message::<SPAN>(record, depth)?;
                }
                self.records.push(std::mem::take(&mut self.record));
            }
            (SCOPE, 1, Bytes(name)) => self.scope = utf8(name)?,
            (SCOPE, 3, Bytes(attribute)) => self.message::<OTHER_KEY_VALUE>(attribute, depth)?,
            (OF_RESOURCE | OF_SCOPE, 3, Bytes(text)) | (SCOPE, 2, Bytes(text)) | (ENTITY_REF, 1..=4, Bytes(text)) => {
                check_utf8(text)?
            }
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn field_of_record<const MESSAGE: u8>(&mut self, number: u32, payload: Payload<'a>, depth: u32) -> Read<()> {
        match (MESSAGE, number, payload) {
            (SPAN, 1, Bytes(id)) | (LOG_RECORD, 9, Bytes(id)) => self.record.trace_id = id,
            (SPAN, 2, Bytes(id)) | (LOG_RECORD, 10, Bytes(id)) => self.record.span_id = id,
            (SPAN, 3, Bytes(state)) => self.record.trace_state = utf8(state)?,
            (SPAN, 4, Bytes(id)) => self.record.parent_id = id,
            (SPAN, 5, Bytes(name)) | (LOG_RECORD, 12, Bytes(name)) => self.record.name = utf8(name)?,
            (SPAN, 6, Varint(kind)) => self.record.client = kind as i32 == SPAN_KIND_CLIENT,
            (SPAN, 7, Fixed64(time)) => self.record.start = time,
            (SPAN, 8, Fixed64(time)) => self.record.end = time,
            (SPAN, 9, Bytes(attribute)) | (LOG_RECORD, 6, Bytes(attribute)) => {
                if let Some(place) = self.attribute(OF_RECORDS, attribute, depth)? {
                    let row = self.records.len() as u32;
                    self.tables[OF_RECORDS].note(row, place, self.value, &self.numbers, &mut self.texts);
                }
            }
            (SPAN, 11, Bytes(event)) => {
                self.event = Default::default();
                self.event_values.clear();
                self.tables[OF_EVENTS].keys.begin();
                self.message::<EVENT>(event, depth)?;
                self.keep_event();
            }
            (SPAN, 13, Bytes(link)) => self.message::<LINK>(link, depth)?,
            (SPAN, 15, Bytes(status)) => self.message::<STATUS>(status, depth)?,
            (SPAN, 16, Fixed32(flags)) => self.record.flags = flags,
            (LOG_RECORD, 1, Fixed64(time)) => (self.record.start, self.record.end) = (time, time),
            (LOG_RECORD, 5, Bytes(body)) => self.message::<OTHER_ANY_VALUE>(body, depth)?,
            (LOG_RECORD, 11, Fixed64(time)) => self.record.observed = time,
            (EVENT, 1, Fixed64(time)) => self.event.1 = time,
            (EVENT, 2, Bytes(name)) => self.event.0 = utf8(name)?,
            (EVENT, 3, Bytes(attribute)) => {
                if let Some(place) = self.attribute(OF_EVENTS, attribute, depth)? {
                    self.event_values.push((place, self.value)); // the name may stand behind its attributes
                }
            }
            (STATUS, 3, Varint(code)) => self.record.failed = code as i32 == STATUS_CODE_ERROR,
            (LINK, 4, Bytes(attribute)) => self.message::<OTHER_KEY_VALUE>(attribute, depth)?,
            (LINK | LOG_RECORD, 3, Bytes(text)) | (STATUS, 2, Bytes(text)) => check_utf8(text)?,
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn field_of_attribute<const MESSAGE: u8>(&mut self, number: u32, payload: Payload<'a>, depth: u32) -> Read<()> {
        match (MESSAGE, number, payload) {
            (KEY_VALUE, 1, Bytes(key)) => {
                self.place = self.tables[self.table].keys.place(key);
                if self.place.is_none() {
                    check_utf8(key)?; // a wanted one is
                }
            }
            (KEY_VALUE, 2, Bytes(value)) => self.message::<ANY_VALUE>(value, depth)?,
            (ANY_VALUE, 5, Bytes(array)) => {
                // An array after an array is its continuation.
                if !matches!(self.value, Value::Array { .. }) {
                    self.numbers.clear();
                    self.value = Value::Array { first: b"", length: 0 };
                }
                self.message::<ARRAY>(array, depth)?;
            }
            (ARRAY, 1, Bytes(element)) => {
                self.element = Value::Nothing;
                self.message::<ELEMENT>(element, depth)?;
                self.append();
            }
            (ANY_VALUE, number, payload) => self.value = self.one_of(number, payload, self.value, depth)?,
            (ELEMENT, number, payload) => self.element = self.one_of(number, payload, self.element, depth)?,
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn field_of_other<const MESSAGE: u8>(&mut self, number: u32, payload: Payload<'a>, depth: u32) -> Read<()> {
        match (MESSAGE, number, payload) {
            (OTHER_KEY_VALUE, 1, Bytes(key)) => check_utf8(key)?,
            (OTHER_KEY_VALUE, 2, Bytes(value)) => self.message::<OTHER_ANY_VALUE>(value, depth)?,
            (OTHER_ANY_VALUE, number, payload) => drop(self.one_of(number, payload, Value::Nothing, depth)?),
            (OTHER_ARRAY, 1, Bytes(element)) => self.message::<OTHER_ANY_VALUE>(element, depth)?,
            (OTHER_LIST, 1, Bytes(attribute)) => self.message::<OTHER_KEY_VALUE>(attribute, depth)?,
            _ => {}
        }
        Ok(())
    }

    /// Reads an attribute into `value`, and returns the place of its key in a table, if it is wanted.
    #[inline(always)]
    fn attribute(&mut self, table: usize, bytes: &'a [u8], depth: u32) -> Read<Option<usize>> {
        (self.table, self.place, self.value) = (table, None, Value::Nothing);
        if let Some((key, place)) = self.tables[table].keys.expected(bytes) {
            self.place = place;
            self.message::<KEY_VALUE>(&bytes[key.len()..], depth)?;
        } else {
            self.unexpected(bytes, depth)?;
        }
        Ok(self.place)
    }

    #[inline(never)]
    fn unexpected(&mut self, attribute: &'a [u8], depth: u32) -> Read<()> {
        let Some(key) = field_of_key(attribute) else { return self.message::<KEY_VALUE>(attribute, depth) };
        self.message::<KEY_VALUE>(key, depth)?;
        self.tables[self.table].keys.expect((key, self.place));
        self.message::<KEY_VALUE>(&attribute[key.len()..], depth)
    }

    /// What an AnyValue is after one more of its fields, of which the last one counts.
    #[inline(always)]
    fn one_of(&mut self, number: u32, payload: Payload<'a>, before: Value<'a>, depth: u32) -> Read<Value<'a>> {
        Ok(match (number, payload) {
            (1, Bytes(text)) => Value::Text(utf8(text)?),
            (2, Varint(truth)) => Value::Number(f64::from(u8::from(truth != 0))),
            (3, Varint(integer)) => Value::Number(integer as i64 as f64),
            (4, Fixed64(bits)) => Value::Number(f64::from_bits(bits)),
            (5, Bytes(array)) => self.message::<OTHER_ARRAY>(array, depth).map(|()| Value::Nothing)?,
            (6, Bytes(list)) => self.message::<OTHER_LIST>(list, depth).map(|()| Value::Nothing)?,
            (7, Bytes(_)) | (8, Varint(_)) => Value::Nothing,
            _ => before,
        })
    }

    fn append(&mut self) {
        if let Value::Array { first, length } = &mut self.value {
            match self.element {
                Value::Text(text) if *length == 0 => *first = text,
                Value::Number(number) => self.numbers.push(number),
                _ => {}
            }
            *length += 1;
        }
    }

    fn keep_event(&mut self) {
        let ((name, time), span, row) = (self.event, self.records.len() as u32, self.events.len() as u32);
        let Some((repeated, begun)) = self.event_names.get_mut(name) else { return };
        if *repeated || *begun <= span {
            *begun = span + 1;
            for &(place, value) in &self.event_values {
                self.tables[OF_EVENTS].note(row, place, value, &[], &mut self.texts);
            }
            self.events.push((span, self.texts.code(name), time));
        }
    }

    /// All that was found, in the order in which compiled.py takes it.
    fn columns(mut self) -> Vec<u8> {
        let (records, events) = (&self.records, &self.events);
        let names: Vec<u32> = records.iter().map(|each| self.texts.code(each.name)).collect();
        let states: Vec<u32> = records.iter().map(|each| self.texts.code(each.trace_state)).collect();
        let texts = &self.texts.texts;
        let told = |time: u64, record: &Record| if time > 0 { time } else { record.observed };
        let mut columns = Columns(Vec::new());
        columns.words([records.len(), self.resources.len(), events.len(), texts.len()].map(|each| each as u64));
        columns.words(records.iter().flat_map(|each| [id(each.trace_id, 16, 0), id(each.trace_id, 16, 8)]));
        columns.words(records.iter().map(|each| id(each.span_id, 8, 0)));
        columns.words(records.iter().map(|each| id(each.parent_id, 8, 0)));
        columns.words(records.iter().map(|each| told(each.start, each)));
        columns.words(records.iter().map(|each| told(each.end, each)));
        columns.flags(records.iter().map(|each| each.failed));
        columns.flags(records.iter().map(|each| each.client));
        columns.flags(records.iter().map(|each| each.flags & TRACE_FLAGS == 0 || each.flags & SAMPLED > 0));
        columns.codes(names);
        columns.codes(self.scopes);
        columns.codes(states);
        columns.codes(events.iter().map(|each| each.0));
        columns.codes(events.iter().map(|each| each.1));
        columns.words(events.iter().map(|each| each.2));
        columns.words(self.resources.iter().copied());
        columns.table(&self.tables[OF_RESOURCES], self.resources.len());
        columns.table(&self.tables[OF_RECORDS], records.len());
        columns.table(&self.tables[OF_EVENTS], events.len());
        columns.texts(texts);
        columns.0
    }

    /// What is wanted comes as entries of a role, an argument and a length, three little-endian u32, and a key.
    fn new(of_logs: bool, mut wanted: &'a [u8]) -> Read<Walk<'a>> {
        let (mut tables, mut event_names) = ([(); 3].map(|()| Table::default()), HashMap::new());
        while !wanted.is_empty() {
            let mut entry = Fields { rest: wanted, depth: 0 };
            let [role, argument, length] = [entry.fixed()?, entry.fixed()?, entry.fixed()?].map(u32::from_le_bytes);
            let key = entry.take(length.into())?;
            match tables.get_mut(role as usize) {
                Some(table) => table.want(key, argument),
                None => drop(event_names.insert(key, (argument > 0, 0))),
            }
            wanted = entry.rest;
        }
        Ok(Walk {
            of_logs,
            tables,
            event_names,
            texts: Texts::new(),
            records: Vec::new(),
            scopes: Vec::new(),
            resources: Vec::new(),
            events: Vec::new(),
            record: Record::default(),
            scope: b"",
            event: (b"", 0),
            event_values: Vec::new(),
            table: OF_RECORDS,
            place: None,
            value: Value::Nothing,
            element: Value::Nothing,
            numbers: Vec::new(),
        })
    }
}

/// Walks a request and returns its columns, to be given back to `llmvitals_release`; null where it is malformed.
/// Where this file has a fault, `length` is 1 besides: nothing unwinds into the caller.
///
/// # Safety
/// The pointers and lengths are those of bytes that stay as they are meanwhile; `length` may be written to.
#[no_mangle]
pub unsafe extern "C" fn llmvitals_walk(
    of_logs: bool,
    wanted: *const u8,
    wanted_length: usize,
    body: *const u8,
    body_length: usize,
    length: *mut usize,
) -> *mut u8 {
    let wanted = unsafe { std::slice::from_raw_parts(wanted, wanted_length) };
    let body = unsafe { std::slice::from_raw_parts(body, body_length) };
    let walked = catch_unwind(|| {
        let mut walk = Walk::new(of_logs, wanted)?;
        walk.message::<REQUEST>(body, DEEPEST + 1)?;
        Ok(Box::into_raw(walk.columns().into_boxed_slice()))
    });
    let (columns, size) = match walked {
        Ok(Ok(columns)) => (columns.cast(), columns.len()),
        Ok(Err(Malformed)) => (std::ptr::null_mut(), 0),
        Err(_) => (std::ptr::null_mut(), 1),
    };
    unsafe { *length = size };
    columns
}

/// # Safety
/// These are what `llmvitals_walk` returned, and they are used for the last time.
#[no_mangle]
pub unsafe extern "C" fn llmvitals_release(columns: *mut u8, length: usize) {
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(columns, length)) });
}
