//! The cases of a round as a table, for a spreadsheet: what each came to, or its place in the draw, and those that were left
//! out with their reason. Numbers of cases and sums, nobody's data; the record itself stays the JSON that `verify` reads.

use super::table::{Cell, Table};
use crate::cases::{Round, RoundResult, Summand, Ticket};

/// A row for each case that took part, in the order of the record, then one for each that was left out.
#[must_use]
pub fn table(round: &Round) -> Table {
    let text = |text: &dyn ToString| Cell::Text(text.to_string());
    let (columns, mut rows): (_, Vec<Vec<Cell>>) = match &round.result {
        RoundResult::Factor(share) | RoundResult::Value(share) => {
            let row = |case: &Summand| vec![text(&case.number), text(&case.amount), Cell::Nothing];
            (vec!["case", "amount", "left_out"], share.cases.iter().map(row).collect())
        }
        RoundResult::Draw(draw) => {
            let places = (1..).zip(&draw.order);
            let row = |(place, ticket): (u64, &Ticket)| {
                let drawn = Cell::Flag(ticket.drawn);
                vec![text(&ticket.number), Cell::Count(place), drawn, text(&ticket.digest), Cell::Nothing]
            };
            (vec!["case", "place", "drawn", "digest", "left_out"], places.map(row).collect())
        }
    };
    for out in &round.left_out {
        let mut row = vec![Cell::Nothing; columns.len()];
        if let [number, .., reason] = row.as_mut_slice() {
            (*number, *reason) = (text(&out.number), text(&out.reason));
        }
        rows.push(row);
    }
    Table { name: "round", columns, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{Draw, LeftOutCase, RoundId, RoundKind, Share};

    fn round(result: RoundResult) -> Round {
        Round {
            id: RoundId::new(uuid::Uuid::nil()),
            municipality: "harjuvesi".parse().unwrap(),
            document: "private-road-grant".parse().unwrap(),
            version: "2026-01-01".parse().unwrap(),
            section: "s12".parse().unwrap(),
            round: "factor-k".to_owned(),
            fact: "factor_k".to_owned(),
            window_end: "2026-04-15T12:00:00Z".parse().unwrap(),
            nth: 1,
            run_at: "2026-04-20T09:00:00Z".parse().unwrap(),
            actor: "0199f0a2".to_owned(),
            reason: None,
            left_out: vec![LeftOutCase { number: "A/3".to_owned(), reason: "=1+1, ei vastannut".to_owned() }],
            result,
        }
    }

    #[test]
    fn every_case_has_a_row_and_no_reason_is_a_formula() {
        let summand =
            |number: &str, amount: &str| Summand { number: number.to_owned(), amount: amount.parse().unwrap() };
        let cases = vec![summand("A/1", "2585.00"), summand("A/2", "2310.50")];
        let share = Share::of(RoundKind::Factor, "4000".parse().unwrap(), 6, cases).unwrap();
        assert_eq!(
            table(&round(RoundResult::Factor(share))).csv().unwrap(),
            "case,amount,left_out\nA/1,2585.00,\nA/2,2310.50,\nA/3,,\"'=1+1, ei vastannut\"\n"
        );
        let draw = Draw::of("siemen", 1, ["A/1".to_owned(), "A/2".to_owned()]);
        let first = (draw.order[0].number.clone(), draw.order[0].digest.clone());
        let csv = table(&round(RoundResult::Draw(draw))).csv().unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!((lines.len(), lines[0]), (4, "case,place,drawn,digest,left_out"));
        assert_eq!(lines[1], format!("{},1,true,{},", first.0, first.1));
        assert_eq!(lines[3], "A/3,,,,\"'=1+1, ei vastannut\"");
    }
}
