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

output "pipeline_policy" {
  description = "What the pipeline's role must be allowed, as JSON."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.pipeline_statements })
}
