# The last stage of a pipeline that builds an image: plan, approval, deploy.

terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60"
    }
  }
}

variable "connection_arn" {
  description = "The connection to the source's host."
  type        = string
}

variable "artifact_bucket" {
  description = "The bucket for the pipeline's artifacts."
  type        = string
}

variable "build_project" {
  description = "The CodeBuild project that builds the image and exports IMAGE_URI."
  type        = string
}

variable "pipeline_role" {
  description = "The pipeline's role: its name and ARN."
  type        = object({ name = string, arn = string })
}

variable "package" {
  description = "The function's zip, from a release."
  type        = string
  default     = "landfall-x86_64.zip"
}

module "landfall" {
  source = "../.."

  package            = { filename = var.package }
  eks                = { cluster = "prod" }
  pipeline_role_name = var.pipeline_role.name
  reads_alarms       = true
}

locals {
  release = {
    namespace = "shop"
    release   = "shop"
    manifests = "k8s"
    images    = { "registry.example.com/web" = "#{Build.IMAGE_URI}" }
    prune     = true
    execution = "#{codepipeline.PipelineExecutionId}"
  }

  deploy_actions = {
    Plan       = { run_order = 1, parameters = merge(local.release, { mode = "plan" }) }
    Kubernetes = { run_order = 3, parameters = merge(local.release, { committed = "#{Source.AuthorDate}" }) }
  }
}

resource "aws_codepipeline" "shop" {
  name          = "shop"
  role_arn      = var.pipeline_role.arn
  pipeline_type = "V2"

  artifact_store {
    location = var.artifact_bucket
    type     = "S3"
  }

  stage {
    name = "Source"

    action {
      name             = "Checkout"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      namespace        = "Source"
      output_artifacts = ["Source"]

      configuration = {
        ConnectionArn    = var.connection_arn
        FullRepositoryId = "example/shop"
        BranchName       = "main"
      }
    }
  }

  stage {
    name = "Build"

    action {
      name            = "Image"
      category        = "Build"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      namespace       = "Build"
      input_artifacts = ["Source"]
      configuration   = { ProjectName = var.build_project }
    }
  }

  stage {
    name = "Deploy"

    dynamic "action" {
      for_each = local.deploy_actions

      content {
        name            = action.key
        category        = "Invoke"
        owner           = "AWS"
        provider        = "Lambda"
        version         = "1"
        run_order       = action.value.run_order
        input_artifacts = ["Source"]

        configuration = {
          FunctionName   = module.landfall.function_name
          UserParameters = jsonencode(action.value.parameters)
        }
      }
    }

    action {
      name      = "Approve"
      category  = "Approval"
      owner     = "AWS"
      provider  = "Manual"
      version   = "1"
      run_order = 2
    }
  }
}
