use super::*;

#[test]
fn what_codepipeline_says_to_a_report() {
    let refused = |code: &str| receipt(Err(AwsError::Refused(400, code.into(), "why".into())));
    assert_eq!(receipt(Ok(())), Ok(Receipt::Taken));
    for code in ["InvalidJobStateException", "JobNotFoundException"] {
        let said = format!("{code}: why");
        assert_eq!(refused(code), Ok(Receipt::TooLate(said)));
    }
    for code in [
        "ValidationException",
        "OutputVariablesSizeExceededException",
    ] {
        let said = format!("{code}: why");
        assert_eq!(refused(code), Err(Undelivered::Refused(said)));
    }
    for code in [
        "AccessDeniedException",
        "ThrottlingException",
        "InvalidClientTokenException",
    ] {
        let said = format!("{code}: why");
        assert_eq!(refused(code), Err(Undelivered::Unreachable(said)));
    }
    let silent = receipt(Err(AwsError::Unreachable("refused".into())));
    assert_eq!(silent, Err(Undelivered::Unreachable("refused".into())));
}
