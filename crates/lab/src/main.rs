//! The `parlour-lab` program; everything is in the library.

fn main() {
    std::process::exit(parlour_lab::cli::run());
}
