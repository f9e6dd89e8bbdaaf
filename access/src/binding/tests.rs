use super::*;
use crate::account::{account, group};

#[test]
fn subjects_are_told_by_what_they_are() {
    let shop = account("shop");
    let printed = "ServiceAccount shop landfall\nUser  jane\nGroup  landfall\n";
    assert_eq!(bound(printed), [shop, "User jane".to_owned(), group()]);
    assert!(bound("").is_empty());
}
