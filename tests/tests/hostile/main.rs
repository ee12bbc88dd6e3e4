//! Recordings that are made to hurt: replay comes to its end, counts every record once, and tells nothing that it
//! should not.

mod tape;

mod files;
mod floods;
mod mutations;
mod privacy;
mod rejected;
mod times;
mod unusual;
