use super::*;

#[test]
fn a_text_shows_as_it_is() {
    for (text, expected) in [
        (
            "plain text, ünïcödé 😀\nsecond line",
            "plain text, ünïcödé 😀\nsecond line",
        ),
        ("", ""),
        ("\u{1b}[31;1mred\u{1b}[0m", "red"),
        ("\u{1b}[2J\u{1b}[Hcleared", "cleared"),
        ("\u{9b}31mred", "red"),
        ("\u{1b}]0;title\u{7}text", "text"),
        ("\u{1b}]8;;https://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{1b}]0;never ends", "0;never ends"),
        ("\u{1b}]0;line\nnext\u{7}", "0;line\nnext"),
        ("\u{1b}(Btext", "text"),
        ("\u{1b}ctext", "text"),
        ("end\u{1b}", "end"),
        ("end\u{1b}[", "end"),
        ("\u{1b}é", "é"),
        (
            "bell\u{7}, back\u{8}space, nul\u{0}, del\u{7f}",
            "bell, backspace, nul, del",
        ),
        ("c1\u{80}\u{84}\u{96}", "c1"),
        ("next\u{85}line", "next line"),
        ("admin\u{202e}txt.exe\u{202c}", "admintxt.exe"),
        ("\u{2066}isolate\u{2069}\u{200f}\u{61c}", "isolate"),
        ("zero\u{200b}width\u{feff}\u{2060}\u{ad}", "zerowidth"),
        ("tag\u{e0041}s", "tags"),
        ("a\tb\r\nc\rd", "a b\nc\nd"),
        ("\u{2028}lines\u{2029}", " lines "),
    ] {
        assert_eq!(visible(text), expected, "{text:?}");
        assert_eq!(visible(&visible(text)), visible(text), "once is enough");
    }
}
