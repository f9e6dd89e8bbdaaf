mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/landfall" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:landfall" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/landfall" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:111122223333:rule/landfall-renewal" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:111122223333:landfall-chat" }
  }
}

override_resource {
  target = aws_cloudwatch_event_rule.chat["message"]
  values = { arn = "arn:aws:events:eu-central-1:111122223333:rule/landfall-chat-message" }
}

override_resource {
  target = aws_cloudwatch_event_rule.chat["silent"]
  values = { arn = "arn:aws:events:eu-central-1:111122223333:rule/landfall-chat-silent" }
}

variables {
  package = { s3_bucket = "packages", s3_key = "landfall-x86_64.zip" }
}

run "an_eks_cluster_is_opened_by_the_role_alone" {
  variables {
    eks = { cluster = "prod" }
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ EKS_CLUSTER = "prod" })
    error_message = "The environment names more than the cluster."
  }
  assert {
    condition     = aws_eks_access_entry.this[0].kubernetes_groups == toset(["landfall"])
    error_message = "The role is not let into the group."
  }
  assert {
    condition     = toset(flatten([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Action])) == toset(["eks:DescribeCluster", "codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult", "logs:CreateLogStream", "logs:PutLogEvents"])
    error_message = "The role may do more, or less, than it needs."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[0].Resource == ["arn:aws:eks:eu-central-1:111122223333:cluster/prod"]
    error_message = "The role may describe another cluster."
  }
  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.architectures == tolist(["x86_64"])
    error_message = "The function is not as the documents say."
  }
  assert {
    condition     = aws_lambda_function_event_invoke_config.this.maximum_retry_attempts == 0
    error_message = "An event may be delivered twice."
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["errors", "throttles", "failures"])
    error_message = "The alarms are not those of a function without renewal."
  }
}

run "a_cluster_of_another_account_is_opened_by_its_role" {
  variables {
    eks = {
      cluster     = "arn:aws:eks:eu-west-1:444455556666:cluster/prod"
      role_arn    = "arn:aws:iam::444455556666:role/landfall"
      external_id = "shop"
    }
  }

  assert {
    condition     = length(aws_eks_access_entry.this) == 0
    error_message = "An entry is made for a role that the cluster does not ask for."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[0].Resource == ["arn:aws:iam::444455556666:role/landfall"]
    error_message = "The role may not be assumed."
  }
  assert {
    condition     = aws_lambda_function.this.environment[0].variables.EKS_EXTERNAL_ID == "shop"
    error_message = "The external id is missing."
  }
}

run "a_kubeconfig_comes_from_secrets_manager" {
  variables {
    kubeconfig = { secret = "kubeconfig" }
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ KUBECONFIG_PARAMETER = "/aws/reference/secretsmanager/kubeconfig" })
    error_message = "The kubeconfig is read from elsewhere."
  }
  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Resource if contains(["ReadParameters", "ReadSecret"], s.Sid)] == [
      ["arn:aws:ssm:eu-central-1:111122223333:parameter/aws/reference/secretsmanager/kubeconfig"],
      ["arn:aws:secretsmanager:eu-central-1:111122223333:secret:kubeconfig-??????"],
    ]
    error_message = "Both Parameter Store and Secrets Manager must allow it."
  }
}

run "a_kubeconfig_comes_from_parameter_store" {
  variables {
    kubeconfig  = { parameter = "/k8s/config:3" }
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/example"
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ KUBECONFIG_PARAMETER = "/k8s/config:3" })
    error_message = "The kubeconfig is not read."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Condition.StringEquals["kms:EncryptionContext:PARAMETER_ARN"] if s.Sid == "DecryptParameters"] == [["arn:aws:ssm:eu-central-1:111122223333:parameter/k8s/config"]]
    error_message = "The key decrypts something else."
  }
}

run "a_token_is_renewed_by_schedule" {
  variables {
    token       = { url = "https://api.example.com", parameter = "/landfall/token:prod", ca = "LS0tLS1CRUdJTi", renew = "rate(8 hours)" }
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/example"
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_target.renewal[0].input) == { rotate = true }
    error_message = "The rule does not ask for a renewal."
  }
  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.this), "renewal")
    error_message = "Nobody is told of a missing renewal."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Resource if s.Sid == "StoreRenewedToken"] == [["arn:aws:ssm:eu-central-1:111122223333:parameter/landfall/token"]]
    error_message = "The renewed token may not be stored, or not only there."
  }
  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Condition.StringEquals == { "kms:ViaService" = "ssm.eu-central-1.amazonaws.com", "kms:EncryptionContext:PARAMETER_ARN" = ["arn:aws:ssm:eu-central-1:111122223333:parameter/landfall/token"] } if startswith(s.Action[0], "kms:")])
    error_message = "The key may be used by others than the service that keeps the token, or for another value."
  }
  assert {
    condition     = jsondecode(aws_lambda_invocation.first_renewal[0].input) == { rotate = true }
    error_message = "The first renewal waits for the schedule."
  }
}

run "the_alarms_and_the_dashboard_are_those_of_the_template" {
  variables {
    token           = { url = "https://api.example.com", renew = "rate(8 hours)" }
    alarm_topic_arn = "arn:aws:sns:eu-central-1:111122223333:alarms"
  }

  assert {
    condition     = [for alarm in local.shared.alarms : [alarm.metric, alarm.threshold, alarm.missing]] == [for alarm in local.shared.alarms : [aws_cloudwatch_metric_alarm.this[alarm.name].metric_name, aws_cloudwatch_metric_alarm.this[alarm.name].threshold, aws_cloudwatch_metric_alarm.this[alarm.name].treat_missing_data]]
    error_message = "An alarm differs from the template's."
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this["renewal"].alarm_actions) == 0 && aws_cloudwatch_metric_alarm.this["renewal"].insufficient_data_actions == toset([var.alarm_topic_arn]) && aws_cloudwatch_metric_alarm.this["failures"].alarm_actions == toset([var.alarm_topic_arn])
    error_message = "A missing renewal is missing data, and a failure an alarm."
  }
  assert {
    condition     = !strcontains(join("", values(aws_cloudwatch_metric_alarm.this)[*].alarm_description), "$")
    error_message = "A description has a name that nothing was put in for."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[0].properties.alarms == [for name in ["failures", "errors", "throttles", "renewal"] : aws_cloudwatch_metric_alarm.this[name].arn]
    error_message = "The dashboard does not show the module's alarms."
  }
  assert {
    condition     = startswith(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[1].properties.query, "SOURCE '/aws/lambda/landfall' | ")
    error_message = "The dashboard reads another log."
  }
}

run "no_dashboard_where_none_is_wanted" {
  variables {
    eks       = { cluster = "prod" }
    dashboard = false
  }

  assert {
    condition     = length(aws_cloudwatch_dashboard.this) == 0 && length(aws_sns_topic.chat) == 0 && output.chat_topic_arn == null
    error_message = "Something is made that nobody asked for."
  }
}

run "calls_read_artifacts_of_one_bucket" {
  variables {
    eks                  = { cluster = "prod" }
    artifact_bucket      = "releases"
    artifact_kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/example"
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ EKS_CLUSTER = "prod", ARTIFACT_BUCKET = "releases" })
    error_message = "The function does not know the bucket."
  }
  assert {
    condition     = { for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Sid => s.Resource if endswith(s.Sid, "ArtifactsOfCalls") } == { ReadArtifactsOfCalls = ["arn:aws:s3:::releases/*"], DecryptArtifactsOfCalls = ["arn:aws:kms:eu-central-1:111122223333:key/example"] }
    error_message = "The role may read more, or less, than the bucket."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Condition.StringLike if s.Sid == "DecryptArtifactsOfCalls"] == [{ "kms:ViaService" = "s3.*.amazonaws.com", "kms:EncryptionContext:aws:s3:arn" = ["arn:aws:s3:::releases", "arn:aws:s3:::releases/*"] }]
    error_message = "The key may be used for something else."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Condition.StringEquals if s.Sid == "ReadArtifactsOfCalls"] == [{ "aws:ResourceAccount" = "111122223333" }]
    error_message = "A bucket of another account would be read."
  }
}

run "ends_of_deploys_go_to_a_bus" {
  variables {
    eks           = { cluster = "prod" }
    event_bus_arn = "arn:aws:events:eu-central-1:111122223333:event-bus/deploys"
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ EKS_CLUSTER = "prod", EVENT_BUS = "arn:aws:events:eu-central-1:111122223333:event-bus/deploys" })
    error_message = "The function does not know the bus."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this.policy).Statement : [s.Action, s.Resource, s.Condition] if s.Sid == "SendEvents"] == [[["events:PutEvents"], ["arn:aws:events:eu-central-1:111122223333:event-bus/deploys"], { StringEquals = { "events:source" = "landfall" } }]]
    error_message = "The role may send more, or less, than its own events to the bus."
  }
}

run "failures_go_to_a_chat" {
  variables {
    eks            = { cluster = "prod" }
    chat_pipelines = ["shop", "web"]
  }

  assert {
    condition     = { for name, rule in aws_cloudwatch_event_rule.chat : name => [jsondecode(rule.event_pattern).detail.pipeline, jsondecode(rule.event_pattern).detail["execution-result"]["external-execution-summary"][0].exists] } == { message = [["shop", "web"], true], silent = [["shop", "web"], false] }
    error_message = "Each failed action must be told once."
  }
  assert {
    condition     = alltrue([for name, target in aws_cloudwatch_event_target.chat : target.arn == aws_sns_topic.chat[0].arn && target.input_transformer[0].input_template == local.shared.chat[name].template])
    error_message = "What is sent is not what the template sends."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_policy.chat[0].policy).Statement[0].Principal == { Service = "events.amazonaws.com" } && output.chat_topic_arn == aws_sns_topic.chat[0].arn
    error_message = "The rules may not publish."
  }
}

run "a_bucket_with_its_scheme_is_refused" {
  command = plan
  variables {
    eks             = { cluster = "prod" }
    artifact_bucket = "s3://releases"
  }
  expect_failures = [var.artifact_bucket]
}

run "the_pipeline_may_invoke_it" {
  variables {
    eks                = { cluster = "prod" }
    pipeline_role_name = "pipeline"
  }

  assert {
    condition     = aws_iam_role_policy.pipeline[0].role == "pipeline" && aws_iam_role_policy.pipeline[0].policy == output.pipeline_policy
    error_message = "The pipeline's role has not what the output says."
  }
}

run "a_key_without_its_bucket_is_refused" {
  command = plan
  variables {
    eks                  = { cluster = "prod" }
    artifact_kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/example"
  }
  expect_failures = [aws_lambda_function.this]
}

run "no_way_in_is_refused" {
  command         = plan
  expect_failures = [aws_lambda_function.this]
}

run "two_ways_in_are_refused" {
  command = plan
  variables {
    eks   = { cluster = "prod" }
    token = { url = "https://api.example.com" }
  }
  expect_failures = [aws_lambda_function.this]
}

run "a_token_in_the_open_is_refused" {
  command = plan
  variables {
    token = { url = "http://api.example.com" }
  }
  expect_failures = [var.token]
}

run "an_external_id_without_its_role_is_refused" {
  command = plan
  variables {
    eks = { cluster = "prod", external_id = "shop" }
  }
  expect_failures = [var.eks]
}

run "a_package_from_two_places_is_refused" {
  command = plan
  variables {
    eks     = { cluster = "prod" }
    package = { filename = "landfall.zip", s3_bucket = "packages", s3_key = "landfall.zip" }
  }
  expect_failures = [var.package]
}
