# Failures for people: CodePipeline's own event of a failed action, as Amazon Q Developer in chat applications takes it.
locals {
  chat = { for name, rule in local.shared.chat : name => rule if length(var.chat_pipelines) > 0 }
}

resource "aws_sns_topic" "chat" {
  count = length(local.chat) > 0 ? 1 : 0

  name         = "${var.name}-chat"
  display_name = "Failed deploys by ${var.name}"
  tags         = var.tags
}

resource "aws_sns_topic_policy" "chat" {
  count = length(local.chat) > 0 ? 1 : 0

  arn = aws_sns_topic.chat[0].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTheseRules"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.chat[0].arn
      Condition = { ArnEquals = { "aws:SourceArn" = values(aws_cloudwatch_event_rule.chat)[*].arn } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "chat" {
  for_each = local.chat

  name          = "${var.name}-chat-${each.key}"
  description   = each.value.description
  event_pattern = jsonencode(merge(each.value.pattern, { detail = merge(each.value.pattern.detail, { pipeline = var.chat_pipelines }) }))
  tags          = var.tags
}

resource "aws_cloudwatch_event_target" "chat" {
  for_each = local.chat

  rule = aws_cloudwatch_event_rule.chat[each.key].name
  arn  = aws_sns_topic.chat[0].arn

  input_transformer {
    input_paths    = each.value.paths
    input_template = each.value.template
  }
}
