use super::*;
use landfall_core::request::Parameters;
use serde_json::json;

/// The faults in a text, as they are printed without the file's name.
fn linted(name: &str, text: &str) -> (usize, Vec<String>) {
    let path = std::env::temp_dir().join(format!("landfall-lint-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let report = lint(&path, &found::names(&[])).unwrap();
    std::fs::remove_file(&path).unwrap();
    let file = format!("{}:", path.display());
    let lines = report.lines.iter();
    let lines = lines.map(|line| line.strip_prefix(&file).unwrap().to_owned());
    (report.checked, lines.collect())
}

const TEMPLATE: &str = r##"AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      RoleArn: !GetAtt Role.Arn
      Stages:
        - Name: Deploy
          Actions:
            - Name: Other
              Configuration: { FunctionName: other, UserParameters: "{\"deploy\": 1}" }
            - Name: Kubernetes
              Configuration:
                FunctionName: !ImportValue landfall-function
                UserParameters: !Sub |-
                  {
                    "deployment": "${Name}",
                    "images": {"web": "#{Build.IMAGE_URI}"},
                    "keep": ${Keep},
                    "strategy": "blueGreen",
                    "committed": "#{Source.AuthorDate}"
                  }
"##;

#[test]
fn a_template_with_tags_is_checked_and_what_is_filled_in_is_not_judged() {
    let (checked, lines) = linted("template.yaml", TEMPLATE);
    assert_eq!(checked, 1);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(
        lines[0].starts_with("19: `keep` is only for the strategy"),
        "{lines:#?}"
    );
    assert!(
        lines[1].starts_with("16: `service` is missing"),
        "{lines:#?}"
    );
}

#[test]
fn both_branches_of_a_condition_are_checked() {
    let text = TEMPLATE.replace(
        r#"                    "strategy": "blueGreen","#,
        r#"                    "strategy": "immutable", "service": "web","#,
    );
    let (_, lines) = linted("good.yaml", &text);
    assert_eq!(lines, [""; 0]);
    let text = r#"{"Resources": {"P": {"Properties": {"Stages": [{"Actions": [{"Configuration": {
        "FunctionName": {"Ref": "LandfallFunction"},
        "UserParameters": {"Fn::If": ["IsProd",
            {"Fn::Join": ["", ["{\"deployment\": \"", {"Ref": "Name"}, "\", \"restart\": true}"]]},
            "{\"deployment\": \"web\", \"restart\": \"true\"}"]}}}]}]}}}}"#;
    let (checked, lines) = linted("cdk.json", text);
    assert_eq!((checked, lines.len()), (1, 1), "{lines:#?}");
    assert!(
        lines[0].starts_with("4: `restart` must be true or false"),
        "{lines:#?}"
    );
    assert!(lines[0].ends_with("(where IsProd is false)"), "{lines:#?}");
}

/// Two conditions of one action: only what can hold together is judged, and all of that.
#[test]
fn conditions_are_judged_together_by_their_names_and_by_what_they_compare() {
    let template = |conditions: &str, strategy: &str, service: &str| {
        format!(
            r##"Parameters:
  Stage: {{ Type: String, AllowedValues: [prod, test] }}
  Region: {{ Type: String }}
Conditions:
{conditions}
Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Stages:
        - Actions:
            - Configuration:
                FunctionName: landfall
                UserParameters: !Sub
                  - '{{"deployment": "web", "restart": true, "strategy": "${{S}}"${{Service}}}}'
                  - S: {strategy}
                    Service: {service}
"##
        )
    };
    let (chosen, named) = (
        "!If [IsProd, blueGreen, rolling]",
        r#"!If [Switches, ', "service": "web"', '']"#,
    );
    for (conditions, told) in [
        // Nothing is known of them: each may hold without the other.
        (
            "  Unused: !Equals [a, b]",
            vec![
                "IsProd is false, Switches is true",
                "IsProd is true, Switches is false",
            ],
        ),
        // The same, written twice.
        (
            "  IsProd: !Equals [!Ref Stage, prod]\n  Switches: !Equals [prod, {Ref: Stage}]",
            vec![],
        ),
        (
            "  IsProd: !Equals [!Ref Stage, prod]\n  Switches: !Not [!Condition IsTest]\n  \
             IsTest: !Equals [!Ref Stage, test]",
            vec![],
        ),
        (
            "  IsProd: !Equals [!Ref Stage, prod]\n  Switches: !Or [{Condition: IsProd}, !Equals \
             [!Ref Region, eu]]",
            vec!["IsProd is false, Switches is true"],
        ),
        (
            "  IsProd: !Equals [!Ref Stage, prod]\n  Switches: !And [!Condition IsProd, !Equals \
             [!Ref Region, eu]]",
            vec!["IsProd is true, Switches is false"],
        ),
        // Exclusive, and Region may be neither.
        (
            "  IsProd: !Equals [!Ref Region, us]\n  Switches: !Equals [!Ref Region, eu]",
            vec!["Switches is true", "IsProd is true"],
        ),
        // They never end.
        (
            "  IsProd: !Condition Switches\n  Switches: !Condition IsProd",
            vec![],
        ),
    ] {
        let (checked, lines) = linted("both.yaml", &template(conditions, chosen, named));
        assert_eq!(checked, 1, "{conditions}");
        let ends = told.iter().map(|it| format!("(where {it})"));
        let ends = ends.collect::<Vec<_>>();
        let is_told = |end: &String| lines.iter().any(|line| line.ends_with(end.as_str()));
        assert!(
            lines.len() == ends.len() && ends.iter().all(is_told),
            "{conditions}: {lines:#?}"
        );
    }
    // Where the whole resource has the condition, or the action, it holds inside.
    let text = template(
        "  IsProd: !Equals [!Ref Stage, prod]",
        chosen,
        "', \"service\": \"web\"'",
    );
    let (_, lines) = linted("always.yaml", &text);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let within = text.replace(
        "    Type: AWS::CodePipeline",
        "    Condition: IsProd\n    Type: AWS::CodePipeline",
    );
    assert_eq!(linted("resource.yaml", &within), (1, Vec::new()));
}

#[test]
fn a_condition_may_choose_a_switch_an_object_or_nothing() {
    let text = r##"Transform: AWS::LanguageExtensions
Resources:
  Pipeline:
    Properties:
      Stages:
        - Actions:
            - Configuration:
                FunctionName: landfall
                UserParameters:
                  Fn::ToJsonString:
                    deployment: web
                    images: { web: "#{Build.IMAGE_URI}" }
                    restart: !If [IsProd, true, false]
                    env: !If [IsProd, { STAGE: prod }, { STAGE: "#{variables.STAGE}" }]
                    strategy: !If [IsProd, blueGreen, rolling]
                    service: !If [IsProd, web, !Ref "AWS::NoValue"]
                    alarms: [!Ref Errors, { "Fn::If": [IsProd, slow, { "Ref": "AWS::NoValue" }] }]
"##;
    assert_eq!(linted("chosen.yaml", text), (1, Vec::new()));
    let wrong = text.replace("[IsProd, true, false]", "[IsProd, true, \"false\"]");
    let (_, lines) = linted("wrong.yaml", &wrong);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].contains("`restart` must be true or false"),
        "{lines:#?}"
    );
}

#[test]
fn a_plan_of_terraform_and_a_pipeline_are_checked_by_their_text() {
    let parameters = json!({"deployment": "web", "images": {"web": "#{Build.IMAGE}"},
        "stratgy": "canary"});
    let configuration = json!({"FunctionName": "deploy",
        "UserParameters": parameters.to_string()});
    let action = json!({"category": "Invoke", "configuration": [configuration]});
    let plan = json!({"planned_values": {"root_module": {"resources": [{
        "type": "aws_codepipeline", "values": {"stage": [{"action": [action]}]}}]}}});
    // Without a name of Landfall, and with a field that is misspelt, nobody can know.
    assert_eq!(linted("plan.json", &plan.to_string()), (0, Vec::new()));
    let text = plan.to_string().replace("\"deploy\"", "\"landfall-prod\"");
    let (checked, lines) = linted("plan.json", &text);
    assert_eq!((checked, lines.len()), (1, 1), "{lines:#?}");
    assert!(lines[0].starts_with("1: `stratgy` is unknown; did you mean `strategy`?"));
}

/// A name that is put together is read as far as it is there.
#[test]
fn the_function_is_known_by_whatever_refers_to_it() {
    let of = |function: &str| {
        format!(
            "FunctionName: {function}\nUserParameters: '{{\"deployment\": \"web\", \"restrt\": \
             true}}'\n"
        )
    };
    for (function, expected) in [
        ("!ImportValue {'Fn::Sub': '${AWS::StackName}-landfall'}", 1),
        ("{'Fn::ImportValue': !Sub '${Stage}-Landfall'}", 1),
        ("!GetAtt [Nested, Outputs.LandfallName]", 1),
        ("!FindInMap [Names, !Ref Stage, Landfall]", 1),
        ("!Select [6, !Split [':', !GetAtt LandfallFunction.Arn]]", 1),
        ("!ImportValue {'Fn::Sub': '${AWS::StackName}-notify'}", 0),
        ("!Select [6, !Split [':', !GetAtt Notify.Arn]]", 0),
    ] {
        let (checked, lines) = linted("function.yaml", &of(function));
        assert_eq!(
            (checked, lines.len()),
            (expected, expected),
            "{function}: {lines:#?}"
        );
    }
}

#[test]
fn what_comes_from_elsewhere_as_a_whole_is_not_judged() {
    let of = |parameters: &str| {
        format!("FunctionName: landfall\nUserParameters: {parameters}\nParameters: {{A: {{}}}}\n")
    };
    for parameters in [
        "!Ref A",
        "!ImportValue A",
        "!FindInMap [A, B, C]",
        "!Select [0, !Ref A]",
        "!Sub '${A}'",
        "{Fn::Transform: {Name: AWS::Include}}",
        "'#{variables.Parameters}'",
        "'{\"deployment\": \"web-${self:provider.stage}\", \"restart\": true}'",
    ] {
        let (checked, lines) = linted("whole.yaml", &of(parameters));
        assert_eq!((checked, lines), (1, Vec::new()), "{parameters}");
    }
    for nothing in ["", "!If [IsProd, !Ref A, !Ref AWS::NoValue]"] {
        let (_, lines) = linted("nothing.yaml", &of(nothing));
        assert!(
            lines[0].contains("`UserParameters` are missing"),
            "{lines:#?}"
        );
    }
}

#[test]
fn what_a_plan_says_of_the_past_is_not_checked_and_one_line_names_the_action() {
    let of = |parameters: &str| {
        let configuration = json!({"FunctionName": "landfall", "UserParameters": parameters});
        json!({"name": "web", "stage": [{"name": "Deploy", "action": [
            {"name": "Kubernetes", "configuration": configuration}]}]})
    };
    let wrong = of(r#"{"deployment": "web", "restart": true, "keep": 1}"#);
    let right = of(r#"{"deployment": "web", "restart": true}"#);
    let plan = |before: &serde_json::Value, after: &serde_json::Value| {
        json!({"resource_changes": [{"change": {"before": before, "after": after}}],
            "resource_drift": [{"change": {"before": after, "after": before}}],
            "planned_values": after, "prior_state": before})
    };
    let mended = plan(&wrong, &right).to_string();
    assert_eq!(linted("mended.json", &mended), (1, Vec::new()));
    let (_, lines) = linted("broken.json", &plan(&right, &wrong).to_string());
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with("1: web/Deploy/Kubernetes: `keep` is only"),
        "{lines:#?}"
    );
}

#[test]
fn utf_16_is_read_and_programs_are_told_what_to_check() {
    let text = r#"{"FunctionName": "landfall", "UserParameters": "{\"restart\": true}"}"#;
    let wide = std::iter::once(0xfeff).chain(text.encode_utf16());
    let wide = wide.flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let path = |name: &str| {
        let name = format!("landfall-lint-{}-{name}", std::process::id());
        std::env::temp_dir().join(name)
    };
    std::fs::write(path("wide.json"), wide).unwrap();
    let report = lint(&path("wide.json"), &found::names(&[])).unwrap();
    assert_eq!((report.checked, report.lines.len()), (1, 1));
    for (name, expected) in [
        ("main.tf", "terraform show -json"),
        ("stack.ts", "cdk synth"),
    ] {
        std::fs::write(path(name), "UserParameters = jsonencode({})").unwrap();
        let problem = lint(&path(name), &found::names(&[])).err().unwrap();
        assert!(problem.contains(expected), "{problem}");
        std::fs::remove_file(path(name)).unwrap();
    }
    std::fs::remove_file(path("wide.json")).unwrap();
}

#[test]
fn calls_within_a_state_machine_are_checked() {
    let machine = |more: &str| {
        format!(
            r#"{{"States": {{"Deploy": {{"Type": "Task", "Parameters": {{
            "FunctionName": "landfall", "Payload": {{"deploy": {{"deployment": "web",
            "images": {{"web.$": "$.image"}}, "execution.$": "$$.Execution.Name"{more}}}}}}}}}}}}}"#
        )
    };
    assert_eq!(linted("machine.json", &machine("")), (1, Vec::new()));
    let (_, lines) = linted("machine.json", &machine(r#", "keep": "{% $keep %}""#));
    assert!(lines[0].contains("`keep` is only for"), "{lines:#?}");
    // Its function's name says whose call it is; of another function nobody can know.
    let misspelt = machine(r#", "timout": "5m""#);
    let direct = misspelt
        .replace("\"Parameters\"", "\"X\"")
        .replace("\"Payload\"", "\"Arguments\"")
        .replace(
            "\"FunctionName\": \"",
            "\"Resource\": \"arn:aws:lambda:::function:",
        );
    for machine in [&misspelt, &direct] {
        let (checked, lines) = linted("machine.json", machine);
        assert_eq!((checked, lines.len()), (1, 1), "{lines:#?}");
        assert!(lines[0].contains("`timout` is unknown"), "{lines:#?}");
    }
    let other = misspelt.replace("\"landfall\"", "\"notify\"");
    assert_eq!(linted("machine.json", &other), (0, Vec::new()));
}

#[test]
fn calls_and_files_of_parameters_are_checked() {
    let call = r#"{"deploy": {"deployment": "web", "restart": 1}}"#;
    assert_eq!(linted("call.json", call).1.len(), 1);
    let alone = "$schema: https://example.com/landfall/parameters.schema.json\n\
                 deployment: web\nrestart: true\ntimeout: 5\n";
    let (checked, lines) = linted("alone.yaml", alone);
    assert_eq!((checked, lines.len()), (1, 1), "{lines:#?}");
    assert!(
        lines[0].starts_with("4: `timeout` `5` is not a valid duration"),
        "{lines:#?}"
    );
    let broken = r#"{"deploy": {"deployment": "web", "restart": true, "timeout": "5\n"}}"#;
    let (_, lines) = linted("break.json", broken);
    assert!(lines[0].starts_with("1: `timeout` `5␤` is not a valid duration"));
    // A job of another tool that is called so.
    let other = "stages: [deploy]\ndeploy:\n  script: make deploy\n";
    assert_eq!(linted("ci.yaml", other), (0, Vec::new()));
}

#[test]
fn too_long_parameters_are_told_where_their_length_is_known() {
    let of = |more: &str| {
        let long = "x".repeat(1000);
        let parameters = json!({"deployment": "web", "env": {"A": format!("{long}{more}")}});
        json!({"FunctionName": "landfall", "UserParameters": parameters.to_string()}).to_string()
    };
    let (_, lines) = linted("long.json", &of(""));
    assert!(lines[0].contains("characters too many"), "{lines:#?}");
    assert_eq!(linted("open.json", &of("#{A.B}")).1, [""; 0]);
}

#[test]
fn only_what_cannot_be_mended_is_a_fault() {
    let verdict = |parameters: serde_json::Value| {
        let found = found::Found {
            line: 1,
            names: Vec::new(),
            parameters: Parameters::Text(parameters.to_string()),
            excess: None,
            choices: condition::Choices::new(),
        };
        let faults = judge(&[found]).into_iter();
        faults.map(|(fault, _)| fault.field).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    for (parameters, expected) in [
        (
            json!({"deployment": "#{v.Name}", "images": {"a.b": "#{v.I}"}}),
            vec!["images.a.b"],
        ),
        (
            json!({"deployment": "web", "images": {"web": "#{v.I}"}, "bake": "20m",
            "timeout": "#{v.T}"}),
            none.to_vec(),
        ),
        (
            json!({"deployment": "web", "images": {"web": "x"}, "bake": "20m"}),
            vec!["bake"],
        ),
        (
            json!({"deployment": "web", "strategy": "#{v.S}", "service": "web", "keep": 2,
            "images": {"web": "x"}}),
            none.to_vec(),
        ),
        (
            json!({"deployment": "web", "mode": "#{v.M}"}),
            none.to_vec(),
        ),
        (
            json!({"deployment": "web", "strategy": "immutable", "service": "web",
            "images": {"web": "x"}, "rollback": "#{v.R}", "keep": "#{v.K}"}),
            vec!["rollback", "keep"],
        ),
        (
            json!({"deployment": "web", "alarms": ["#{v.A}", "arn:aws:x"], "restart": true}),
            vec!["alarms[1]"],
        ),
    ] {
        assert_eq!(verdict(parameters.clone()), expected, "{parameters}");
    }
}

#[test]
fn a_file_that_is_no_yaml_is_an_error_only_if_it_has_an_action() {
    let path = std::env::temp_dir().join(format!("landfall-lint-{}-broken", std::process::id()));
    for (text, is_read) in [("a: [deploy", true), ("UserParameters: [", false)] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(lint(&path, &found::names(&[])).is_ok(), is_read, "{text}");
    }
    // JSON that is not YAML.
    let text = r#"{"FunctionName": "landfall", "Emoji": "\ud83d\ude00", "UserParameters": "{}"}"#;
    std::fs::write(&path, text).unwrap();
    let report = lint(&path, &found::names(&[])).unwrap();
    assert_eq!(report.checked, 1);
    assert!(!report.lines.is_empty());
    std::fs::remove_file(&path).unwrap();
}

/// The examples and events of this repository.
#[test]
fn what_is_here_is_well() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut checked = 0;
    for (file, expected) in [
        ("examples/pipeline/pipeline.yaml", 0),
        ("examples/render/pipeline.yaml", 0),
        ("examples/calls/call.json", 0),
        ("examples/calls/state-machine.json", 0),
        ("events/rolling.json", 0),
        ("events/blue-green.json", 0),
        ("events/call-artifact.json", 0),
        ("events/wrong.json", 4),
    ] {
        let report = lint(&root.join(file), &found::names(&[])).unwrap();
        assert!(report.checked > 0, "{file}");
        assert_eq!(report.lines.len(), expected, "{file}: {:#?}", report.lines);
        checked += report.checked;
    }
    assert!(checked > 8, "{checked}");
}

#[test]
fn an_action_without_parameters_is_found_by_its_function() {
    let action = |types: &str, function: &str| {
        format!(
            "A:\n  {types}\n  Configuration:\n    FunctionName: {function}\nPermission:\n  \
             FunctionName: landfall\n  Action: lambda:InvokeFunction\n"
        )
    };
    let types = "ActionTypeId: {Category: Invoke, Owner: AWS, Provider: Lambda}";
    let (checked, lines) = linted("absent.yaml", &action(types, "!Ref LandfallFunction"));
    assert_eq!(checked, 1);
    assert!(
        lines[0].contains("`UserParameters` are missing"),
        "{lines:#?}"
    );
    let others = [
        action(types, "notify"),
        action(
            "ActionTypeId: {Category: Build, Provider: CodeBuild}",
            "landfall",
        ),
    ];
    for other in others {
        assert_eq!(linted("absent.yaml", &other), (0, Vec::new()));
    }
    let event = r#"{"CodePipeline.job": {"data": {"actionConfiguration":
        {"configuration": {"FunctionName": "landfall"}}}}}"#;
    assert_eq!(linted("absent.json", event).0, 1);
}

#[test]
fn a_configuration_that_is_a_text_of_json_is_read() {
    let plan = |parameters: &str| {
        let configuration = json!({"FunctionName": "landfall", "UserParameters": parameters});
        json!({"planned_values": {"stages": [{"actions": [{"name": "go",
            "configuration": configuration.to_string()}]}]}})
        .to_string()
    };
    let (checked, lines) = linted(
        "awscc.json",
        &plan(r#"{"deployment": "Web", "restart": true}"#),
    );
    assert_eq!((checked, lines.len()), (1, 1), "{lines:#?}");
    let fine = linted(
        "awscc.json",
        &plan(r#"{"deployment": "web", "restart": true}"#),
    );
    assert_eq!(fine, (1, Vec::new()));
}

#[test]
fn a_tag_on_an_object_and_merged_keys_are_read() {
    let tagged = "A:\n  FunctionName: landfall\n  UserParameters: !ToJsonString\n    deployment: \
                  web\n    image: {web: !Sub '${X}:1'}\n";
    let (checked, lines) = linted("tagged.yaml", tagged);
    assert_eq!((checked, lines.len()), (1, 1), "{lines:#?}");
    assert!(lines[0].contains("`image` is unknown"), "{lines:#?}");
    let merged = "One: &one\n  FunctionName: landfall\n  UserParameters: '{\"deployment\": \
                  \"web\", \"restart\": true}'\nTwo:\n  <<: *one\nThree:\n  <<: [*one]\n  \
                  UserParameters: '{\"deployment\": \"web\", \"restart\": 1}'\n";
    let (checked, lines) = linted("merged.yaml", merged);
    assert_eq!((checked, lines.len()), (3, 1), "{lines:#?}");
    assert!(
        lines[0].contains("`restart` must be true or false"),
        "{lines:#?}"
    );
}

#[test]
fn what_cloudformation_resolves_itself_is_not_judged() {
    let template = |parameters: &str| {
        format!("Configuration:\n  FunctionName: landfall\n  UserParameters: {parameters}\n")
    };
    for (parameters, faults) in [
        ("'{{resolve:ssm:/shop/landfall}}'", 0),
        (
            r#"'{"deployment": "web", "restart": true, "namespace": "{{resolve:ssm:/ns:1}}"}'"#,
            0,
        ),
        (
            r#"!Sub '{"deployment": "web", "restart": {{resolve:ssm:/r/${Stage}}}}'"#,
            0,
        ),
        (
            r#"'{"deployment": "web", "restart": "{{resolve:ssm:/r}}"}'"#,
            1,
        ),
        (
            r#"'{"deployment": "web", "restart": true, "namespace": "{{ .Values.ns }}"}'"#,
            1,
        ),
    ] {
        let (checked, lines) = linted("resolve.yaml", &template(parameters));
        assert_eq!(
            (checked, lines.len()),
            (1, faults),
            "{parameters}: {lines:#?}"
        );
    }
}

/// Between quotes anything is a text; without them, and where a tool writes the JSON, it may be none.
#[test]
fn a_flag_that_is_filled_in_has_no_quotes() {
    let template = |flag: &str| {
        format!("Configuration:\n  FunctionName: landfall\n  UserParameters: {flag}\n")
    };
    let quoted = "3: `rollback` must be true or false, and what is filled in between quotes is a \
                  text: leave them out";
    for (flag, is_right) in [
        (
            r##"'{"deployment": "web", "restart": true, "rollback": #{v.R}}'"##,
            true,
        ),
        (
            r#"!Sub '{"deployment": "web", "restart": true, "rollback": ${R}}'"#,
            true,
        ),
        (
            r##"'{"deployment": "web", "restart": true, "rollback": "#{v.R}"}'"##,
            false,
        ),
        (
            r#"!Sub '{"deployment": "web", "restart": true, "rollback": "${R}"}'"#,
            false,
        ),
        (
            "{'Fn::ToJsonString': {deployment: web, restart: true, rollback: !Ref R}}",
            true,
        ),
    ] {
        let (checked, lines) = linted("flag.yaml", &template(flag));
        let expected = if is_right {
            vec![]
        } else {
            vec![quoted.to_owned()]
        };
        assert_eq!((checked, lines), (1, expected));
    }
    let call =
        r#"{"deploy": {"deployment": "web", "restart.$": "$.restart", "images": {"web": "a"}}}"#;
    assert_eq!(linted("call.json", call).1, [""; 0]);
}
