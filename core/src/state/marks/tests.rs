use super::*;
use serde_json::json;

#[test]
fn marks_that_are_not_valid_are_named_wherever_they_stand() {
    let with = |mark: &str, text: &str| json!({"metadata": {"annotations": {mark: text}}});
    for (mark, text, is_valid) in [
        (PREVIOUS, "demo-app-abc@1", true),
        (PREVIOUS, "", true),
        (PREVIOUS, "../../other/replicasets/payroll-abc@1", false),
        (PREVIOUS, "demo-app-abc", false),
        (PREVIOUS, "demo-app-abc@new", false),
        (SERVED, "demo-app-abc@1,demo-app-blue", true),
        (SERVED, "demo-app-abc@1,../../other", false),
        (FROM, "demo-app-blue", true),
        (FROM, "demo-app/../blue", false),
        (TO, "Demo", false),
        (ORIGINAL_SELECTOR, r#"{"app": "demo-app"}"#, true),
        (ORIGINAL_SELECTOR, r#"{"app": "a,b"}"#, false),
        (SELECTOR_BEFORE, "{}", false),
        (SELECTOR_BEFORE, "no JSON", false),
        (EXECUTION, "../..", true),
    ] {
        let expected = if is_valid { vec![] } else { vec![mark] };
        let object = with(mark, text);
        assert_eq!(invalid_in(&object), expected, "{mark}: {text}");
        let list = json!({"items": [json!({}), object]});
        assert_eq!(invalid_in(&list), expected, "{mark}: {text}, in a list");
    }
}
