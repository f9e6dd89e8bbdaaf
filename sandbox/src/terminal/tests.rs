use super::*;

#[test]
fn text_wraps_at_words() {
    let cases = [
        ("", 5, vec![""]),
        ("one two", 7, vec!["one two"]),
        ("one two", 6, vec!["one", "two"]),
        ("abcdefgh i", 5, vec!["abcde", "fgh i"]),
        ("a\n  b c", 4, vec!["a", "  b", "  c"]),
        ("a\n\nb", 4, vec!["a", "", "b"]),
    ];
    for (text, width, lines) in cases {
        assert_eq!(wrap(text, width), lines, "{text:?}");
    }
}

#[test]
fn colours_take_no_room_and_can_be_left_out() {
    let text = format!("a {} b", paint("31", "red"));
    assert_eq!(plain(&text), "a red b");
    assert_eq!(columns(&text), 7);
    assert_eq!(padded(&text, 9), format!("{text}  "));
    assert_eq!(padded(&text, 3), text);
    let moved = format!("\x1b[2A\x1b[K{text}\x1b[?7l");
    assert_eq!(plain(&moved), "\x1b[2A\x1b[Ka red b\x1b[?7l");
}
