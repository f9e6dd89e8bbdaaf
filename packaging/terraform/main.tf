data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  by_role   = var.eks != null && try(var.eks.role_arn, null) != null
  by_name   = var.eks != null && !startswith(try(var.eks.cluster, ""), "arn:")
  has_entry = var.eks != null && coalesce(try(var.eks.access_entry, null), local.by_name && !local.by_role)
  renews    = try(var.token.renew, null) != null

  # A secret that is null cannot be part of a text.
  kubeconfig_parameter = try(var.kubeconfig.parameter != null ? var.kubeconfig.parameter : "/aws/reference/secretsmanager/${coalesce(var.kubeconfig.secret)}", null)

  environment = {
    EKS_CLUSTER          = try(var.eks.cluster, null)
    EKS_ROLE             = try(var.eks.role_arn, null)
    EKS_EXTERNAL_ID      = try(var.eks.external_id, null)
    KUBECONFIG_PARAMETER = local.kubeconfig_parameter
    K8S_CLUSTER          = try(var.token.url, null)
    K8S_TOKEN_PARAMETER  = try(var.token.parameter, null)
    K8S_CA_PARAMETER     = try(var.token.ca_parameter, null)
    K8S_CA               = try(var.token.ca, null)
    ARTIFACT_BUCKET      = var.artifact_bucket
    EVENT_BUS            = var.event_bus_arn
  }
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  description   = "Deploys from CodePipeline to Kubernetes"

  filename         = var.package.filename
  source_code_hash = try(filebase64sha256(var.package.filename), null)
  s3_bucket        = var.package.s3_bucket
  s3_key           = var.package.s3_key

  handler       = "bootstrap"
  runtime       = "provided.al2023"
  architectures = [var.architecture]
  memory_size   = var.memory_size
  timeout       = var.timeout
  role          = aws_iam_role.this.arn

  reserved_concurrent_executions = var.reserved_concurrent_executions

  environment {
    variables = { for name, value in local.environment : name => value if value != null }
  }

  # Nothing above INFO: Lambda would drop the metrics, which are log lines of this level.
  logging_config {
    log_format            = "JSON"
    application_log_level = var.log_level
    log_group             = aws_cloudwatch_log_group.this.name
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  tags = var.tags

  depends_on = [aws_iam_role_policy.this]

  lifecycle {
    precondition {
      condition     = length([for way in [var.eks, var.kubeconfig, var.token] : way if way != null]) == 1
      error_message = "Set exactly one of eks, kubeconfig and token: the way into the cluster."
    }
    precondition {
      condition     = var.artifact_kms_key_arn == null || var.artifact_bucket != null
      error_message = "artifact_kms_key_arn is set without artifact_bucket."
    }
  }
}

# A second delivery of an event would deploy although no one waits for it any more.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 900
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

# EKS keeps the id of a role: one that is made anew needs a new entry, even under its old name.
resource "aws_eks_access_entry" "this" {
  count = local.has_entry ? 1 : 0

  cluster_name      = var.eks.cluster
  principal_arn     = aws_iam_role.this.arn
  kubernetes_groups = ["landfall"]
  tags              = var.tags

  lifecycle {
    replace_triggered_by = [aws_iam_role.this.unique_id]
  }
}

resource "aws_cloudwatch_event_rule" "renewal" {
  count = local.renews ? 1 : 0

  name                = "${var.name}-renewal"
  description         = "Makes ${var.name} renew its token for the cluster"
  schedule_expression = var.token.renew
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "renewal" {
  count = local.renews ? 1 : 0

  rule  = aws_cloudwatch_event_rule.renewal[0].name
  arn   = aws_lambda_function.this.arn
  input = jsonencode({ rotate = true })
}

resource "aws_lambda_permission" "renewal" {
  count = local.renews ? 1 : 0

  function_name = aws_lambda_function.this.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.renewal[0].arn
}

# Once as soon as everything is there, and when the token is another one: the token of the set-up may last only hours.
resource "aws_lambda_invocation" "first_renewal" {
  count = local.renews ? 1 : 0

  function_name = aws_lambda_function.this.function_name
  input         = jsonencode({ rotate = true })
  triggers      = { url = var.token.url, parameter = var.token.parameter, key = coalesce(var.kms_key_arn, "AWS's own") }

  depends_on = [aws_iam_role_policy.this]
}
