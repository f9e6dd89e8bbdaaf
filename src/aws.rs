//! AWS: the token and the CA from SSM, artifacts from S3, reports to CodePipeline, alarms of
//! CloudWatch, events to EventBridge.
//!
//! SSM, CodePipeline and CloudWatch are called by the SDK's own clients, over the one HTTPS stack.
//! Of S3 only ranged reads are needed, of EventBridge one call: the SDK's signer is enough.

pub mod clients;
pub mod cloudwatch;
pub mod codepipeline;
pub mod eventbridge;
pub mod failure;
pub mod http_client;
pub mod partition;
pub mod s3;
pub mod settings;
pub mod signature;
