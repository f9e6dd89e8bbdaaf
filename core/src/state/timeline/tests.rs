use super::*;

fn seen(name: &str, available: i64) -> Seen {
    Seen {
        name: name.into(),
        image: format!("{name}:1"),
        available,
        is_up: true,
    }
}

#[test]
fn only_what_changes_is_kept_and_what_is_not_seen_stays_as_it_was() {
    let mut timeline = Timeline::default();
    timeline.see(0, &[seen("old", 3)], None);
    timeline.see(1, &[seen("old", 3)], Some(0));
    timeline.see(4, &[seen("new", 1)], None);
    timeline.see(9, &[seen("new", 3), seen("old", 0)], Some(100));
    assert_eq!(timeline.points, [vec![0, 3], vec![4, 3, 1], vec![9, 0, 3]]);
    assert_eq!(timeline.marks, [(9, Mark::Share(100))]);
    let names = timeline.versions.iter().map(|(name, _)| &**name);
    assert_eq!(names.collect::<Vec<_>>(), ["old", "new"]);
}

#[test]
fn a_version_that_has_no_pods_is_none_and_a_fifth_one_has_no_room() {
    let mut timeline = Timeline::default();
    let down = Seen {
        is_up: false,
        ..seen("kept", 0)
    };
    timeline.see(0, &[down], None);
    assert_eq!(timeline, Timeline::default());
    let all = ["a", "b", "c", "d", "e"].map(|name| seen(name, 1));
    timeline.see(0, &all, None);
    assert_eq!(timeline.points, [vec![0, 1, 1, 1, 1]]);
}

#[test]
fn it_has_limits_and_keeps_its_first_and_last_point() {
    let mut timeline = Timeline::default();
    for second in 0..10_000 {
        timeline.see(
            second,
            &[seen("new", second)],
            Some(u8::from(second % 2 == 0)),
        );
    }
    assert!(timeline.points.len() <= POINTS && timeline.is_thinned);
    assert!(timeline.marks.len() <= MARKS);
    assert_eq!(timeline.points[0], [0, 0]);
    assert_eq!(timeline.points.last().unwrap(), &[9999, 9999]);
    let mut times = 0;
    while timeline.thin() {
        times += 1;
    }
    assert!(times < 60, "{times}");
    assert_eq!((timeline.points.len(), timeline.marks.len()), (0, 0));
}

#[test]
fn versions_with_long_names_are_told_apart_by_their_ends() {
    let mut timeline = Timeline::default();
    let long = "a-name-that-is-so-long-that-it-fills-all-of-its-sixty-characters";
    let two = [1, 2].map(|number| seen(&format!("{long}-{number}"), number));
    timeline.see(0, &two, None);
    assert_eq!(timeline.points, [vec![0, 1, 2]]);
    let (_, image) = &timeline.versions[1];
    assert!(image.starts_with('…') && image.ends_with("-2:1"), "{image}");
    assert!(image.len() <= NAME_LIMIT, "{image}");
}
