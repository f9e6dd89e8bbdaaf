//! Quantities, such as `0.5`, `500m` or `1Gi`.

/// The suffixes and their factors, the longer ones first.
const SUFFIXES: [(&str, f64); 15] = [
    ("Ki", 1024.0),
    ("Mi", 1048576.0),
    ("Gi", 1073741824.0),
    ("Ti", 1099511627776.0),
    ("Pi", 1125899906842624.0),
    ("Ei", 1152921504606846976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// Reads a quantity.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
pub fn read(text: &str) -> Option<f64> {
    let suffixed = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)));
    let (number, factor) = suffixed.unwrap_or((text, 1.0));
    // A number may have either an exponent or a suffix.
    let others: &[u8] = match suffixed {
        Some(_) => b"+-.",
        None => b"+-.eE",
    };
    let allowed = |byte: u8| byte.is_ascii_digit() || others.contains(&byte);
    let number = Some(number).filter(|number| number.bytes().all(allowed))?;
    Some(number.parse::<f64>().ok()? * factor)
}
