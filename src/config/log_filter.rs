//! What `RUST_LOG` holds, looked at before env_logger, which complains of little and goes on.

use log::LevelFilter;

use super::ConfigError;

/// Whether a filter means something. A word that is no level is taken for the name of a module, and then nothing is logged
/// but that module.
///
/// # Errors
/// A sentence about `RUST_LOG`.
pub fn check_log_filter(filter: &str) -> Result<(), ConfigError> {
    let is_level = |text: &str| text.trim().parse::<LevelFilter>().is_ok();
    let is_ours = |text: &str| text == "parlour" || text.starts_with("parlour::");
    let is_path = |text: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
        !text.is_empty() && text.chars().all(is_part)
    };
    let (levels, pattern) = filter.split_once('/').unwrap_or((filter, ""));
    let wrong = levels
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .find(|part| match part.split_once('=') {
            Some((module, level)) => !is_path(module.trim()) || !is_level(level),
            None => !is_level(part) && !is_ours(part),
        });
    match wrong {
        None if !pattern.contains('/') => Ok(()),
        wrong => Err(ConfigError(format!(
            "RUST_LOG (or --rust-log) holds `{}`, which is not understood: write a level (off, error, warn, info, debug or trace), or levels per module, like info,parlour::ws=debug.",
            wrong.unwrap_or(filter).escape_debug()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_means_nothing_is_told() {
        for good in [
            "",
            "info",
            "INFO",
            "off",
            "info,parlour::ws=debug",
            "warn, parlour=trace",
            "parlour",
            "parlour::access",
            "actix_server=off,info",
            "info/acked",
        ] {
            assert_eq!(check_log_filter(good), Ok(()), "{good}");
        }
        for bad in [
            "inof",
            "warning",
            "verbose",
            "info;debug",
            "parlour=inof",
            "=info",
            "info parlour=debug",
            "parlour=info=debug",
            "info/a/b",
            "\"info\"",
        ] {
            let said = check_log_filter(bad).expect_err(bad).0;
            assert!(said.starts_with("RUST_LOG"), "{said}");
        }
    }
}
