//! AWS's partitions (commercial, China, GovCloud, …), from the SDK's own table.

use crate::http::chain;
use aws_sdk_ssm::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

/// The domain suffix of a region's services, such as `amazonaws.com.cn`. The SDK's table is
/// private, so the suffix is taken from SSM's address.
pub async fn suffix(region: &str) -> Result<String, String> {
    let parameters = Params::builder().region(region).build();
    let parameters = parameters.map_err(|error| chain(&error))?;
    let found = DefaultResolver::new().resolve_endpoint(&parameters).await;
    let endpoint = found.map_err(|_| format!("AWS has no region {region}"))?;
    let suffix = endpoint
        .url()
        .strip_prefix(&format!("https://ssm.{region}."));
    let suffix = suffix.ok_or_else(|| format!("the addresses in {region} are unknown"))?;
    Ok(suffix.to_owned())
}

#[cfg(test)]
mod tests;
