//! Whatever text comes: no panic; what was understood means the same when it is said again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parlour_fuzz::protocol::command::{MAX_REF, parse};

fuzz_target!(|text: &str| {
    let reference = match parse(text) {
        Ok(request) => {
            let again = serde_json::to_string(&request).expect("a request is JSON");
            assert_eq!(parse(&again).as_ref(), Ok(&request));
            request.reference
        }
        Err(error) => {
            assert!(!error.code.is_empty() && !error.detail.is_empty());
            error.reference
        }
    };
    assert!(reference.is_none_or(|text| text.chars().count() <= MAX_REF));
});
