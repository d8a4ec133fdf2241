//! Every RPC of the contract, by every role in every kind of region: nobody reads, changes or learns of what is not
//! theirs.

mod entries;
mod permissions;
mod scope;
mod things;
mod world;
