locals {
  # Made from template.yaml, as dashboard.json.tftpl is.
  shared = jsondecode(file("${path.module}/shared.json"))
  alarms = [for alarm in local.shared.alarms : alarm if local.renews || !alarm.of_renewal]
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for alarm in local.alarms : alarm.name => alarm }

  alarm_name = "${var.name}-${each.key}"
  alarm_description = replace(replace(replace(each.value.description,
    "$${function}", var.name),
    "$${log_group}", aws_cloudwatch_log_group.this.name),
  "$${renewal_rule}", "${var.name}-renewal")
  namespace   = each.value.namespace
  metric_name = each.value.metric
  dimensions  = { FunctionName = aws_lambda_function.this.function_name }
  statistic   = each.value.statistic

  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing

  alarm_actions             = each.value.tells == "ALARM" ? var.alarm_topic_arn[*] : []
  insufficient_data_actions = each.value.tells == "ALARM" ? [] : var.alarm_topic_arn[*]
  tags                      = var.tags
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = "${var.name}-${data.aws_region.current.name}"
  dashboard_body = templatefile("${path.module}/dashboard.json.tftpl", {
    alarms    = [for alarm in local.alarms : aws_cloudwatch_metric_alarm.this[alarm.name].arn]
    function  = aws_lambda_function.this.function_name
    log_group = aws_cloudwatch_log_group.this.name
    region    = data.aws_region.current.name
  })
}
