//! What people's wires do, point by point: bytes written out, spoken as they are and heard as they are.
//!
//! `stage` has the words of these tests. `animals` are whole wires that mix the points, the others take them one by one,
//! in the order of the list "dialects must be able to say" of the design. Not here: mistakes in dialect files
//! (`diagnostics`), and wires that are made up at random (`random_wires`).

mod again;
mod animals;
mod carried;
mod conversations;
mod dialogues;
mod fields;
mod framing;
mod json;
mod lists;
mod meanings;
mod stage;
mod texts;
