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
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Condition.StringEquals["kms:ViaService"][0] == "ssm.eu-central-1.amazonaws.com" if startswith(s.Action[0], "kms:")])
    error_message = "The key may be used by others than the services that keep the token."
  }
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
