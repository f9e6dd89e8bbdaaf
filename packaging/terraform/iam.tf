locals {
  here = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  ssm  = "arn:${data.aws_partition.current.partition}:ssm:${local.here}:parameter"

  # A version or a label is not part of a parameter's ARN, and a name with a path begins with a slash.
  parameters = [
    for name in compact([local.kubeconfig_parameter, try(var.token.parameter, null), try(var.token.ca_parameter, null)]) :
    "${local.ssm}/${trimprefix(split(":", name)[0], "/")}"
  ]
  token  = try("${local.ssm}/${trimprefix(split(":", var.token.parameter)[0], "/")}", null)
  secret = try("arn:${data.aws_partition.current.partition}:secretsmanager:${local.here}:secret:${split(":", var.kubeconfig.secret)[0]}-??????", null)

  # By its name, as the function needs the role first.
  function_arn = "arn:${data.aws_partition.current.partition}:lambda:${local.here}:function:${var.name}"

  cluster_arn = try(local.by_name ? "arn:${data.aws_partition.current.partition}:eks:${local.here}:cluster/${var.eks.cluster}" : var.eks.cluster, null)
  roles       = concat(compact([try(var.eks.role_arn, null)]), try(var.kubeconfig.role_arns, []))

  # Only through the service that keeps a value, and only for that value.
  through  = { for service in ["ssm", "secretsmanager"] : service => "${service}.${data.aws_region.current.name}.${data.aws_partition.current.dns_suffix}" }
  of_value = { StringEquals = { "kms:ViaService" = local.through.ssm, "kms:EncryptionContext:PARAMETER_ARN" = local.parameters } }
  of_token = { StringEquals = { "kms:ViaService" = local.through.ssm, "kms:EncryptionContext:PARAMETER_ARN" = [local.token] } }
  of_secret = {
    StringEquals = { "kms:ViaService" = local.through.secretsmanager }
    StringLike   = { "kms:EncryptionContext:SecretARN" = local.secret }
  }

  # As template.yaml has them.
  artifacts = jsondecode(replace(replace(replace(replace(jsonencode(local.shared.artifacts),
    "$${account}", data.aws_caller_identity.current.account_id),
    "$${partition}", data.aws_partition.current.partition),
    "$${dns_suffix}", data.aws_partition.current.dns_suffix),
  "$${bucket}", coalesce(var.artifact_bucket, "none")))

  network_actions = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ]

  statements = [
    { sid = "DescribeCluster", actions = ["eks:DescribeCluster"], resources = var.eks != null && !local.by_role ? [local.cluster_arn] : [] },
    { sid = "AssumeRoles", actions = ["sts:AssumeRole"], resources = local.roles },
    { sid = "ReadParameters", actions = ["ssm:GetParameters"], resources = local.parameters },
    { sid = "ReadSecret", actions = ["secretsmanager:GetSecretValue"], resources = compact([local.secret]) },
    { sid = "DecryptParameters", actions = ["kms:Decrypt"], resources = local.secret == null && var.eks == null ? compact([var.kms_key_arn]) : [], condition = local.of_value },
    { sid = "DecryptSecret", actions = ["kms:Decrypt"], resources = local.secret != null ? compact([var.kms_key_arn]) : [], condition = local.of_secret },
    { sid = "StoreRenewedToken", actions = ["ssm:GetParameterHistory", "ssm:PutParameter"], resources = local.renews ? [local.token] : [] },
    { sid = "EncryptRenewedToken", actions = ["kms:Encrypt", "kms:GenerateDataKey"], resources = local.renews ? compact([var.kms_key_arn]) : [], condition = local.of_token },
    # Only for calls without CodePipeline: a job brings its own credentials.
    { sid = local.artifacts.read.Sid, actions = [local.artifacts.read.Action], resources = var.artifact_bucket != null ? [local.artifacts.read.Resource] : [], condition = local.artifacts.read.Condition },
    { sid = local.artifacts.decrypt.Sid, actions = [local.artifacts.decrypt.Action], resources = var.artifact_bucket != null ? compact([var.artifact_kms_key_arn]) : [], condition = local.artifacts.decrypt.Condition },
    # These two take no resource: a caller needs the id of the job.
    { sid = "ReportToCodePipeline", actions = ["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], resources = ["*"] },
    # On single alarms, CloudWatch would never return a composite one.
    { sid = "ReadAlarms", actions = ["cloudwatch:DescribeAlarms"], resources = var.reads_alarms ? ["*"] : [] },
    # Under its own name alone.
    { sid = "SendEvents", actions = ["events:PutEvents"], resources = compact([var.event_bus_arn]), condition = { StringEquals = { "events:source" = "landfall" } } },
    { sid = "WriteLog", actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = ["${aws_cloudwatch_log_group.this.arn}:*"] },
    # Lambda itself connects the function to the VPC with this role.
    { sid = "ConnectToVpc", actions = local.network_actions, resources = var.vpc != null ? ["*"] : [] },
    # The function's own code does not need these permissions.
    { sid = "NetworkIsForLambdaAlone", effect = "Deny", actions = ["ec2:*"], resources = var.vpc != null ? ["*"] : [], condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.function_arn } } },
  ]

  pipeline_statements = [
    { Effect = "Allow", Action = "lambda:InvokeFunction", Resource = aws_lambda_function.this.arn },
    { Effect = "Allow", Action = "lambda:ListFunctions", Resource = "*" },
  ]
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "Permissions of the function ${var.name} in AWS"
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "deploy"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in local.statements : merge(
        { Sid = statement.sid, Effect = try(statement.effect, "Allow"), Action = statement.actions, Resource = statement.resources },
        try({ Condition = statement.condition }, {}),
      ) if length(statement.resources) > 0
    ]
  })
}

resource "aws_iam_role_policy" "pipeline" {
  count = var.pipeline_role_name != null ? 1 : 0

  name   = "invoke-${var.name}"
  role   = var.pipeline_role_name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.pipeline_statements })
}
