locals {
  alarms = merge(
    {
      errors = {
        namespace   = "AWS/Lambda"
        metric      = "Errors"
        description = "${var.name} ended with an error: it could not report to CodePipeline, could not renew its token, or a deploy without a pipeline failed."
      }
      throttles = {
        namespace   = "AWS/Lambda"
        metric      = "Throttles"
        description = "${var.name} was called but could not start: more deploys at once than its concurrency allows."
      }
      failures = {
        namespace   = "Landfall"
        metric      = "Failures"
        description = "A deploy by ${var.name} failed: the pipeline's action says which and why."
      }
    },
    local.renews ? {
      renewal = {
        namespace   = "Landfall"
        metric      = "Rotations"
        description = "The token of ${var.name} was not renewed for 12 hours; it expires after 24."
      }
    } : {},
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = each.value.description
  namespace         = each.value.namespace
  metric_name       = each.value.metric
  dimensions        = { FunctionName = aws_lambda_function.this.function_name }
  statistic         = "Sum"

  # A time without deploys is no failure; a time without a renewal is one.
  period              = each.key == "renewal" ? 43200 : 300
  evaluation_periods  = 1
  comparison_operator = each.key == "renewal" ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = each.key == "renewal" ? 1 : 0
  treat_missing_data  = each.key == "renewal" ? "breaching" : "notBreaching"

  alarm_actions = var.alarm_topic_arn[*]
  tags          = var.tags
}
