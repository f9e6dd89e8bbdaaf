variable "name" {
  description = "Name of the function, for the pipeline's action, and of what belongs to it."
  type        = string
  default     = "landfall"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "The name must have up to 64 letters, digits, hyphens and underscores."
  }
}

variable "package" {
  description = "The function's package: the path of a zip (`filename`), or `s3_bucket` and `s3_key` in the function's Region."
  type = object({
    filename  = optional(string)
    s3_bucket = optional(string)
    s3_key    = optional(string)
  })

  validation {
    condition     = (var.package.filename != null) != (var.package.s3_bucket != null && var.package.s3_key != null)
    error_message = "Set either filename, or s3_bucket and s3_key."
  }
}

variable "architecture" {
  description = "Processor architecture of the function: the one that the package was built for."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "The architecture must be x86_64 or arm64."
  }
}

variable "eks" {
  description = "The way into an EKS cluster: the function's own IAM role, or `role_arn` in another account. `cluster` is a name, or an ARN in another account or Region. `access_entry` makes the role a member of the Kubernetes group landfall (default: true for a name without `role_arn`)."
  type = object({
    cluster      = string
    role_arn     = optional(string)
    external_id  = optional(string)
    access_entry = optional(bool)
  })
  default = null

  validation {
    condition     = var.eks == null ? true : var.eks.external_id == null || var.eks.role_arn != null
    error_message = "external_id is set without role_arn, the role that asks for it."
  }

  validation {
    condition     = var.eks == null ? true : !coalesce(var.eks.access_entry, false) || (var.eks.role_arn == null && !startswith(var.eks.cluster, "arn:"))
    error_message = "access_entry is only for the function's own role in a cluster of this account and Region, given by its name."
  }
}

variable "kubeconfig" {
  description = "The way into the clusters of a kubeconfig: `parameter` in Parameter Store, or the `secret` of Secrets Manager with this name. `role_arns` are the roles that its users assume."
  type = object({
    parameter = optional(string)
    secret    = optional(string)
    role_arns = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.kubeconfig == null ? true : (var.kubeconfig.parameter != null) != (var.kubeconfig.secret != null)
    error_message = "Set either parameter or secret."
  }
}

variable "token" {
  description = "The way into any cluster by a bearer token: the API server's `url`, the `parameter` with the token, and `ca_parameter` or the CA itself (`ca`). `renew` is the schedule on which the function renews the token, such as `rate(8 hours)`."
  type = object({
    url          = string
    parameter    = optional(string, "k8s-bear-token")
    ca_parameter = optional(string)
    ca           = optional(string)
    renew        = optional(string)
  })
  default = null

  validation {
    condition     = var.token == null ? true : startswith(var.token.url, "https://")
    error_message = "The url must begin with https://: anything else would expose the token."
  }

  validation {
    condition     = var.token == null ? true : var.token.ca_parameter == null || var.token.ca == null
    error_message = "ca_parameter and ca are both set. Set only one of them."
  }

  validation {
    condition     = var.token == null ? true : var.token.renew == null ? true : contains(["rate(1 hour)", "rate(4 hours)", "rate(8 hours)"], var.token.renew)
    error_message = "renew must be rate(1 hour), rate(4 hours) or rate(8 hours): a token lives for 24 hours, and two renewals may fail."
  }
}

variable "kms_key_arn" {
  description = "Your KMS key that encrypts the kubeconfig, token or CA. Null means AWS's own."
  type        = string
  default     = null
}

variable "artifact_bucket" {
  description = "S3 bucket from which calls without CodePipeline may name artifacts. A pipeline's artifacts do not need it."
  type        = string
  default     = null

  validation {
    condition     = var.artifact_bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.artifact_bucket))
    error_message = "The artifact_bucket must be the name of a bucket, without s3://."
  }
}

variable "artifact_kms_key_arn" {
  description = "Your KMS key that encrypts the objects of artifact_bucket. Null means none, or AWS's own."
  type        = string
  default     = null
}

variable "memory_size" {
  description = "Memory in MB. The CPU share grows with it."
  type        = number
  default     = 256
}

variable "timeout" {
  description = "Timeout of one invocation in seconds. The next invocation continues a longer rollout."
  type        = number
  default     = 300

  validation {
    condition     = var.timeout >= 60 && var.timeout <= 900
    error_message = "The timeout must be 60 to 900 seconds."
  }
}

variable "reserved_concurrent_executions" {
  description = "Reserved concurrency: at least the number of pipelines that may deploy at the same time. -1 means no reservation."
  type        = number
  default     = -1
}

variable "vpc" {
  description = "Subnets and security groups, where the API server is private. The subnets need a way to SSM, CodePipeline and S3, too."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "event_bus_arn" {
  description = "Bus of EventBridge that gets an event of each deploy's end. Null means none."
  type        = string
  default     = null

  validation {
    condition     = var.event_bus_arn == null ? true : can(regex("^arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/-]+$", var.event_bus_arn))
    error_message = "The event_bus_arn must be the ARN of an event bus."
  }
}

variable "reads_alarms" {
  description = "Whether deploys may be guarded by CloudWatch alarms (the user parameter alarms)."
  type        = bool
  default     = false
}

variable "log_level" {
  description = "INFO logs each write to the cluster and each report; DEBUG also logs each read. Nothing above INFO: Lambda would drop the metrics."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO"], var.log_level)
    error_message = "log_level must be TRACE, DEBUG or INFO."
  }
}

variable "log_retention_days" {
  description = "How long the log is kept."
  type        = number
  default     = 90
}

variable "alarm_topic_arn" {
  description = "SNS topic that is told by the alarms. Null means that they show in the console only."
  type        = string
  default     = null
}

variable "dashboard" {
  description = "Whether to create a CloudWatch dashboard. The first three in an account are free."
  type        = bool
  default     = true
}

variable "chat_pipelines" {
  description = "Names of pipelines whose failed Lambda actions, with the message of each, go to a topic for Slack or Teams (Amazon Q Developer in chat applications): the output chat_topic_arn."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.chat_pipelines : can(regex("^[A-Za-z0-9.@_-]{1,100}$", name))])
    error_message = "chat_pipelines must be names of pipelines."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of the function's role, where your account asks for one."
  type        = string
  default     = null
}

variable "pipeline_role_name" {
  description = "Name of the pipeline's role, which may then invoke the function. Null means that you attach the output pipeline_policy yourself."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that the module creates."
  type        = map(string)
  default     = {}
}
