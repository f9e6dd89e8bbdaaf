//! Who owns the values in SSM: the token of another account or the CA of another cluster is not
//! replaced without `--replace`.

use crate::account::namespace_of;
use crate::failure::Refusal;
use crate::target::Target;
use crate::token::Token;

const OTHER_NAMES: &str = "parameters of other names (--token-parameter, --ca-parameter)";
const REPLACE: &str = "Where nothing needs it any more: --replace. SSM keeps what was replaced in \
    the parameter's history.";

/// The owner of a stored value that would be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This account, or this cluster.
    Own,
    /// Another account, by the token's own claim.
    Account(String),
    /// An account with this name that this cluster does not know.
    Stranger(String),
    /// Unknown: the value is not a ServiceAccount's token.
    Nobody,
    /// Another cluster's CA.
    Cluster,
}

impl Owner {
    /// The owner of a token, where `account` will store its own. `here` says whether the token
    /// belongs to this cluster.
    pub(crate) fn of_token(stored: &str, account: &str, here: bool) -> Owner {
        match Token::new(stored).and_then(|token| token.subject()) {
            None => Owner::Nobody,
            Some(subject) if subject != account => Owner::Account(subject),
            Some(subject) if !here => Owner::Stranger(subject),
            Some(_) => Owner::Own,
        }
    }

    pub(crate) fn of_ca(stored: &str, ca: &str) -> Owner {
        if same_ca(stored, ca) {
            Owner::Own
        } else {
            Owner::Cluster
        }
    }

    /// Describes the stored value, after "it holds".
    pub(crate) fn words(&self) -> String {
        match self {
            Owner::Own => "another value".into(),
            Owner::Account(subject) => format!("a token of {subject}"),
            Owner::Stranger(subject) => {
                format!("a token of {subject} that this cluster does not confirm")
            }
            Owner::Nobody => "a value that does not say whose it is".into(),
            Owner::Cluster => "another CA than this cluster's".into(),
        }
    }

    /// Why the value is not replaced, and what to do; nothing if it is our own.
    pub(crate) fn refusal(&self, target: &Target) -> Option<Refusal> {
        let advice = match self {
            Owner::Own => return None,
            Owner::Account(subject) => match namespace_of(subject) {
                Some(home) => format!(
                    "For one function that deploys to both namespaces: --for-account {home}, \
                     which gives that account this namespace, too. For a function of its own: \
                     {OTHER_NAMES}. {REPLACE}"
                ),
                None => format!("Leave it, and give Landfall {OTHER_NAMES}. {REPLACE}"),
            },
            Owner::Stranger(_) => format!(
                "If it is another cluster's: {OTHER_NAMES}; a function serves one cluster. If its \
                 ServiceAccount was made anew here: --replace."
            ),
            Owner::Nobody => format!(
                "If anything deploys with it, such as the function that Landfall comes after, \
                 leave it, and give Landfall {OTHER_NAMES}. {REPLACE}"
            ),
            Owner::Cluster => format!(
                "If it is another cluster's: {OTHER_NAMES}; a function serves one cluster. If \
                 {}'s CA was renewed: --replace.",
                target.server
            ),
        };
        let why = match self {
            Owner::Own | Owner::Cluster => "and whatever verifies a cluster by it would fail",
            Owner::Account(_) | Owner::Stranger(_) | Owner::Nobody => {
                "and whatever deploys with it would lose its access"
            }
        };
        Some(Refusal::own(
            format!("it holds {}, {why}", self.words()),
            advice,
        ))
    }
}

/// Compares two CAs, ignoring line endings.
pub(crate) fn same_ca(left: &str, right: &str) -> bool {
    left.split_whitespace().eq(right.split_whitespace())
}

#[cfg(test)]
mod tests;
