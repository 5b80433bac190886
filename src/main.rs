//! The `parlour` program; everything is in the library.

fn main() {
    std::process::exit(parlour::cli::run());
}
