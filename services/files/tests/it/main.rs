//! Files as programs write them, good ones and bad ones.

mod mutations;
mod support;
mod workbooks;
