//! The program of tongxin.
fn main() {}
