use super::*;
use crate::terminal::plain;

#[test]
fn the_card_at_the_end_fits_and_nothing_of_it_is_cut() {
    let played = |number, heading, problem| Played {
        number,
        heading,
        end: "Failed".to_owned(),
        seconds: 12.3,
        problem,
    };
    let all = [
        played(1, ACTS[0].heading, None),
        played(9, "A release whose migration fails", None),
    ];
    let failed = [played(2, ACTS[1].heading, Some("it succeeded"))];
    for width in [40, 60, 72, 80, 140] {
        for (played, verdict) in [
            (&all[..], "failures fail, and the old version serves."),
            (&failed[..], "1 did not end as they should."),
        ] {
            let lines = card(played, width);
            let shown = lines.iter().map(|line| plain(line)).collect::<Vec<_>>();
            let text = shown.join("\n");
            assert!(lines.iter().all(|line| columns(line) <= width), "{text}");
            let frame = |it: char| it.is_whitespace() || "│╭╮╰╯─".contains(it);
            let words = text.split(frame).filter(|it| !it.is_empty());
            let words = words.collect::<Vec<_>>().join(" ");
            let told = [
                verdict,
                "12.3 s",
                "EVENT=events/image.json",
                "docs/setup-eks.md",
            ];
            let headings = played.iter().map(|one| one.heading);
            for expected in told.into_iter().chain(headings) {
                assert!(words.contains(expected), "{width}: {expected}\n{text}");
            }
        }
    }
}
