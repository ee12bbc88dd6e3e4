//! Decompression on a thread of its own, a few blocks ahead of whoever parses.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Bytes handed over at once.
const BLOCK_BYTES: usize = 256 * 1024;

/// Blocks that may wait.
const BLOCKS: usize = 8;

/// The bytes of a source that is read ahead. The thread ends with the source, or finds this gone.
pub(crate) struct Ahead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    at: usize,
}

impl Ahead {
    /// Starts to read `source`; fails where no thread can be had.
    pub(crate) fn of(source: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, blocks) = sync_channel(BLOCKS);
        let run = move || read_all(source, &sender);
        thread::Builder::new()
            .name("decompress".into())
            .spawn(run)?;
        Ok(Self {
            blocks,
            block: Vec::new(),
            at: 0,
        })
    }
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            // The sender is gone after the last block and after an error.
            let Ok(block) = self.blocks.recv() else {
                return Ok(0);
            };
            self.block = block?;
            self.at = 0;
        }
        let rest = &self.block[self.at..];
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        self.at += read;
        Ok(read)
    }
}

/// Sends blocks until the source ends or fails, or nobody listens. What came before a failure is sent first.
fn read_all(mut source: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        let read = source
            .by_ref()
            .take(BLOCK_BYTES as u64)
            .read_to_end(&mut block);
        let ended = block.is_empty();
        if !ended && sender.send(Ok(block)).is_err() {
            return;
        }
        match read {
            Ok(_) if ended => return,
            Ok(_) => {}
            Err(error) => {
                // Nobody listens any more where this fails.
                let _ = sender.send(Err(error));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    struct Fails;

    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    #[test]
    fn bytes_come_in_order_and_a_failure_after_them() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut read = Vec::new();
        Ahead::of(io::Cursor::new(bytes.clone()))
            .unwrap()
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, bytes);

        read.clear();
        let mut ahead = Ahead::of(io::Cursor::new(bytes.clone()).chain(Fails)).unwrap();
        let error = ahead.read_to_end(&mut read).unwrap_err();
        assert_eq!((error.kind(), read), (io::ErrorKind::InvalidData, bytes));
    }

    #[test]
    fn a_source_without_end_stops_when_nobody_listens() {
        let mut ahead = Ahead::of(io::repeat(b'x')).unwrap();
        let mut some = [0; 10];
        ahead.read_exact(&mut some).unwrap();
        assert_eq!(some, [b'x'; 10]);
    }
}
