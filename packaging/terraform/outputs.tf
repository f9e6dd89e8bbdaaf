output "function_name" {
  description = "The function's name, for the pipeline's action."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.this.arn
}

output "role_arn" {
  description = "The function's role: what the cluster and AWS know it by."
  value       = aws_iam_role.this.arn
}

output "chat_topic_arn" {
  description = "The topic to choose for a channel in Amazon Q Developer in chat applications; null without chat_pipelines."
  value       = one(aws_sns_topic.chat[*].arn)
}

output "pipeline_policy" {
  description = "What the pipeline's role must be allowed, as JSON."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.pipeline_statements })
}
