//! Numbers and sizes into bytes.

use crate::codec::field::Int;
use crate::codec::plan::{Form, Label, Size};
use crate::codec::speak::{Unspeakable, of_another_size};

/// Writes the size that stands before bytes or items, or checks the one that is fixed.
#[inline(always)]
pub(super) fn write_size<'p>(
    out: &mut Vec<u8>,
    size: &Size,
    length: usize,
    of: &str,
    label: impl Fn() -> &'p Label,
) -> Result<(), Box<Unspeakable>> {
    match size {
        Size::Prefix(form) if !write_number(out, form, length as u64) => {
            Err(of_another_size(length, of, &format!("carries at most {}", form.most()), label()))
        }
        Size::Fixed(fixed) if length as u64 != *fixed => {
            Err(of_another_size(length, of, &format!("has {fixed}"), label()))
        }
        _ => Ok(()),
    }
}

/// Writes a number. False: it is too large, and nothing was written.
#[inline(always)]
pub(super) fn write_number(out: &mut Vec<u8>, form: &Form, value: u64) -> bool {
    match form {
        Form::Int(int) => write_int(out, *int, value),
        form => write_unusual_form(out, form, value),
    }
}

#[inline(never)]
pub(super) fn write_unusual_form(out: &mut Vec<u8>, form: &Form, value: u64) -> bool {
    match form {
        Form::Int(int) => write_int(out, *int, value),
        Form::Decimal => {
            out.extend_from_slice(value.to_string().as_bytes());
            true
        }
        Form::Padded { width, padding } => {
            let digits = value.to_string();
            let Some(missing) = usize::from(*width).checked_sub(digits.len()) else { return false };
            let pad = std::iter::repeat_n(*padding, missing);
            match padding {
                b'0' => out.extend(pad.chain(digits.bytes())),
                _ => out.extend(digits.bytes().chain(pad)),
            }
            true
        }
        Form::Choice(choices) => {
            let Some(choice) = choices.iter().find(|choice| (choice.least..=choice.most).contains(&value)) else {
                return false;
            };
            choice.before.iter().all(|(int, constant)| write_int(out, *int, *constant))
                && write_int(out, choice.int, value)
        }
    }
}

/// Writes a number, those of usual widths at once. False: it is too large, and nothing was written.
#[inline(always)]
pub(crate) fn write_int(out: &mut Vec<u8>, int: Int, value: u64) -> bool {
    match (int.width, int.little) {
        (1, _) => u8::try_from(value).map(|value| out.push(value)).is_ok(),
        (2, false) => u16::try_from(value).map(|value| out.extend_from_slice(&value.to_be_bytes())).is_ok(),
        (4, false) => u32::try_from(value).map(|value| out.extend_from_slice(&value.to_be_bytes())).is_ok(),
        _ => write_unusual(out, int, value),
    }
}

#[inline(never)]
pub(super) fn write_unusual(out: &mut Vec<u8>, int: Int, value: u64) -> bool {
    match int.little {
        _ if value > int.most() => return false,
        false => out.extend_from_slice(&value.to_be_bytes()[8 - int.bytes()..]),
        true => out.extend_from_slice(&value.to_le_bytes()[..int.bytes()]),
    }
    true
}

/// Writes a number over one of the same width.
#[inline]
pub(super) fn overwrite_int(out: &mut [u8], at: usize, int: Int, value: u64) {
    let field = &mut out[at..at + int.bytes()];
    match (field, int.little) {
        ([byte], _) => *byte = value as u8,
        ([a, b], false) => [*a, *b] = (value as u16).to_be_bytes(),
        ([a, b, c, d], false) => [*a, *b, *c, *d] = (value as u32).to_be_bytes(),
        (field, false) => field.copy_from_slice(&value.to_be_bytes()[8 - field.len()..]),
        (field, true) => field.copy_from_slice(&value.to_le_bytes()[..field.len()]),
    }
}
