//! Fields: a type as it is written into a part, and its name into a slot.

use crate::codec::compile::Compiler;
use crate::codec::compile::shape::{Builder, Field, whose};
use crate::codec::field::{Class, Expr, FieldType, Kind, Length, Measure, Spoken, Term};
use crate::codec::filter::Filter;
use crate::codec::json::Json;
use crate::codec::plan::{
    Choice, End, Form, JsonText, Label, Made, Name, Number, Of, Part, Rule, Size, Text, TextRule,
};
use crate::load::Node;

impl<'a> Compiler<'a> {
    pub(super) fn field(
        &mut self,
        node: &'a Node,
        name: &str,
        written: &str,
        builder: &mut Builder<'a>,
    ) -> Option<Field> {
        let field = match FieldType::parse(written) {
            Ok(field) => field,
            Err(why) => {
                self.refuse(node, format!("not a type: {why}"), |d| d);
                return None;
            }
        };
        let parts = |part: Part| Some(Field::Parts(vec![part]));
        match field.kind.clone() {
            Kind::Int(int) => {
                let number = self.number(node, name, written, &field, Form::Int(int), builder)?;
                parts(Part::Number(number))
            }
            Kind::Decimal(width) => {
                let padding = field.padded.unwrap_or(b'0');
                let form = width.map_or(Form::Decimal, |width| Form::Padded { width: width as u8, padding });
                let number = self.number(node, name, written, &field, form, builder)?;
                parts(Part::Number(number))
            }
            Kind::Bits(bits) => {
                let mut number = self.number(node, name, written, &field, Form::Decimal, builder)?;
                number.most = number.most.min((1 << bits) - 1);
                Some(Field::Bits(bits, number))
            }
            Kind::Text { class, size } => {
                let text = self.text_field(node, name, written, &field, class, &size, builder)?;
                parts(Part::Text(text))
            }
            Kind::Json => {
                let (slot, _) = self.slot(node, name, written, builder);
                parts(Part::Json(JsonText::new(slot, Json::any(slot))))
            }
            Kind::List { size, item, joined } => {
                let list = self.list(node, name, written, &field, (&size, &item, joined), builder)?;
                parts(Part::List(list))
            }
            Kind::Shape(shape) => self.shape_field(node, name, written, &field, &shape, builder),
        }
    }

    pub(super) fn slot(
        &mut self,
        node: &'a Node,
        name: &str,
        written: &str,
        builder: &mut Builder<'a>,
    ) -> (usize, Name) {
        let (name, of) = whose(name);
        let text = match &name {
            Name::Own => of,
            Name::Nothing => written.to_owned(),
            Name::Me => "me".to_owned(),
            Name::My(of) => format!("my {of}"),
            Name::Of(of, whom) => format!("{of} of {whom}"),
        };
        let field = match &name {
            Name::Nothing => None,
            Name::Own => Some(text.as_str()),
            Name::Me => Some("username"),
            Name::My(of) | Name::Of(of, _) => Some(of.as_str()),
        };
        let kind = field.and_then(|field| self.service.field(field)).map(|field| field.kind);
        let slot = builder.slot(Label { text, name: name.clone(), kind, marked: false });
        builder.places[slot].get_or_insert(node);
        (slot, name)
    }

    pub(super) fn number(
        &mut self,
        node: &'a Node,
        name: &str,
        written: &str,
        field: &FieldType,
        form: Form,
        builder: &mut Builder<'a>,
    ) -> Option<Number> {
        let most_of_form = form.most();
        let (least, most) = field.range.unwrap_or((0, most_of_form));
        if most > most_of_form {
            let bytes = if let Form::Int(int) = form { int.width } else { 8 };
            self.refuse(node, format!("{most} does not fit {bytes} bytes"), |d| d);
        }
        let (slot, whose) = self.slot(node, name, written, builder);
        let rule = match self.rule(node, field, slot, builder)? {
            Rule::Open if whose == Name::Nothing => Rule::Usually(least),
            rule => rule,
        };
        let most = most.min(most_of_form);
        match rule {
            Rule::Fresh => builder.made.push((slot, Made::Number(most))),
            Rule::Now => builder.made.push((slot, Made::Now)),
            _ => {}
        }
        match rule {
            Rule::Is(number) | Rule::Usually(number) if !(least..=most).contains(&number) => {
                self.refuse(node, format!("{number} is not among {least} to {most}"), |d| d);
                None
            }
            Rule::Is(number) => Some(Number { slot, form, least: number, most: number, rule, plain: false }),
            rule => Some(Number { slot, form, least, most, rule, plain: false }),
        }
    }

    pub(super) fn rule(
        &mut self,
        node: &Node,
        field: &FieldType,
        slot: usize,
        builder: &mut Builder<'a>,
    ) -> Option<Rule> {
        let (expr, usually) = match &field.spoken {
            Spoken::Open => return Some(Rule::Open),
            Spoken::Is(expr) => (expr, false),
            Spoken::Usually(expr) => (expr, true),
        };
        match (&expr.term, expr.plus, usually) {
            (Term::Number(number), 0, false) => Some(Rule::Is(*number)),
            (Term::Number(number), 0, true) => Some(Rule::Usually(*number)),
            (Term::Fresh, 0, true) => Some(Rule::Fresh),
            (Term::Now, 0, true) => Some(Rule::Now),
            (Term::Name(name), plus, false) if name == "turn" && builder.request.is_none() => {
                let made = self.turn(node, slot, plus, builder)?;
                builder.made.push((slot, made));
                Some(Rule::Open)
            }
            (Term::Measure(Measure::Length, names), plus, false) if *names == ["frame"] => {
                Some(Rule::Measure { measure: Measure::Length, of: Of::Frame, plus })
            }
            (Term::Measure(measure, names), plus, false) => {
                builder.measures.push((slot, *measure, names.clone(), plus));
                // Which slots these are is known when all of the shape is.
                Some(Rule::Measure { measure: *measure, of: Of::Slots(Box::default()), plus })
            }
            (Term::Name(name), plus, false) if builder.request.is_some() => {
                let known = builder.request.clone().unwrap_or_default();
                if known.contains(name) {
                    return Some(Rule::Known { name: name.clone(), plus });
                }
                self.refuse(node, format!("the frame of requests has no number `{name}`"), |d| {
                    d.suggest(name, known.iter().map(String::as_str))
                });
                None
            }
            _ => {
                self.refuse(node, "this value cannot stand here", |d| {
                    d.help(
                        "a number is `= number`, `usually number`, `usually fresh`, `usually now`, `= length(a + b)`, \
                         `= length(frame)`, `= chars(a)`, `= utf16(a)`, `= count(a)`, `= sum8(a)`, `= turn`; in the frame of answers also `= name + number`",
                    )
                });
                None
            }
        }
    }

    /// How often a step was said, and so many more.
    pub(super) fn turn(&mut self, node: &Node, slot: usize, plus: i64, builder: &Builder<'a>) -> Option<Made> {
        if builder.labels[slot].name != Name::Own {
            self.refuse(node, "what counts how often a step is said has a name", |d| {
                d.help("such as `page: u8 = turn`")
            });
            return None;
        }
        let first = 1_u64.checked_add_signed(plus);
        if first.is_none() {
            self.refuse(node, "this is less than nothing: the first turn is 1", |d| {
                d.help("`= turn - 1` begins with 0")
            });
        }
        first.map(|first| Made::Turn { first })
    }

    #[expect(clippy::too_many_arguments, reason = "a field as it is written, taken apart")]
    pub(super) fn text_field(
        &mut self,
        node: &'a Node,
        name: &str,
        written: &str,
        field: &FieldType,
        class: Class,
        size: &Length,
        builder: &mut Builder<'a>,
    ) -> Option<Text> {
        if field.range.is_some() {
            self.refuse(node, "only numbers can be bounded", |d| d);
        }
        let filter = match &field.filter {
            Some(name) => Some(self.filter(node, name)?),
            None => None,
        };
        let size = self.size(node, size)?;
        let (slot, whose) = self.slot(node, name, written, builder);
        let rule = match &field.spoken {
            Spoken::Open if whose == Name::Nothing => TextRule::Usually(Box::default()),
            Spoken::Open => TextRule::Open,
            Spoken::Is(Expr { term: Term::Text(text), plus: 0 }) => TextRule::Is(text.as_bytes().into()),
            Spoken::Usually(Expr { term: Term::Text(text), plus: 0 }) => TextRule::Usually(text.as_bytes().into()),
            Spoken::Usually(Expr { term: Term::Me, plus: 0 }) => TextRule::UsuallyMe,
            Spoken::Usually(Expr { term: Term::Fresh, plus: 0 }) => TextRule::Fresh,
            _ => {
                self.refuse(node, "this value cannot stand here", |d| {
                    d.help("a text is `= 'text'`, `usually 'text'`, `usually me`, `usually fresh`")
                });
                return None;
            }
        };
        if rule == TextRule::Fresh {
            let many = if let Size::Fixed(many) = size { many as usize } else { 16 };
            builder.made.push((slot, Made::Digits { many, class }));
        }
        let sizes = self.service.field(name).map(|field| field.sizes.clone().into_boxed_slice()).unwrap_or_default();
        Some(Text { slot, class, size, filter, padded: field.padded, rule, sizes, plain: false })
    }

    pub(super) fn filter(&mut self, node: &Node, name: &str) -> Option<Filter> {
        let found = self.filters.get(name).cloned().or_else(|| Filter::named(name));
        if found.is_none() {
            let known: Vec<String> = self.filters.keys().cloned().collect();
            self.refuse(node, format!("there is no filter `{name}`"), |d| {
                d.suggest(name, known.iter().map(String::as_str).chain(Filter::NAMES))
            });
        }
        found
    }

    pub(super) fn size(&mut self, node: &'a Node, size: &Length) -> Option<Size> {
        Some(match size {
            Length::Fixed(length) => Size::Fixed(*length),
            Length::Prefix(int) if int.signed => {
                let choice = Choice { before: Box::default(), int: *int, least: 0, most: int.most() };
                Size::Prefix(Form::Choice([choice].into()))
            }
            Length::Prefix(int) => Size::Prefix(Form::Int(*int)),
            Length::Shaped(name) => Size::Prefix(self.number_shape(node, name)?),
            Length::Rest => Size::Rest(End::Unknown),
        })
    }

    /// A shape that is one number, in whichever way it is written.
    pub(super) fn number_shape(&mut self, node: &'a Node, name: &str) -> Option<Form> {
        let shape = self.shape(node, name, &mut Builder::default())?;
        let parts = self.parts_of_shape(shape, name, &mut Builder::default())?;
        let choice = |row: &[Part]| {
            let (last, before) = row.split_last()?;
            let Part::Number(Number { form: Form::Int(int), least, most, .. }) = last else { return None };
            let before = before.iter().map(|part| match part {
                Part::Number(Number { form: Form::Int(int), rule: Rule::Is(constant), .. }) => Some((*int, *constant)),
                _ => None,
            });
            let (before, int) = (before.collect::<Option<_>>()?, *int);
            Some(Choice { before, int, least: *least, most: (*most).min(int.most()) })
        };
        let form = match parts.as_slice() {
            [Part::Either(rows)] => rows.iter().map(|row| choice(row)).collect::<Option<_>>().map(Form::Choice),
            [Part::Number(number)] => Some(number.form.clone()),
            row => choice(row).map(|choice| Form::Choice([choice].into())),
        };
        if let Some(Form::Choice(choices)) = &form
            && let Some(at) =
                (1..choices.len()).find(|at| choices[..*at].iter().any(|first| first.covers(&choices[*at])))
        {
            self.refuse(
                shape,
                format!("row {} of `{name}` is never reached: an earlier one takes all that it could", at + 1),
                |d| d.help("bound the earlier one, such as u8 in 0..254"),
            );
        }
        if form.is_none() {
            self.refuse(node, format!("`{name}` is no number: constants, and one number at the end"), |d| d);
        }
        form
    }
}
