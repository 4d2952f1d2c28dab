//! GIF: a walk over the blocks up to the trailer.
//!
//! Knows GIF89a as far as a check needs it. Must not decode anything.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::inspect::{ClipInfo, Container, NotAClip};

/// Looks at a whole file.
pub(super) fn inspect<R: Read + Seek + ?Sized>(file: &mut R) -> Result<ClipInfo, NotAClip> {
    file.seek(SeekFrom::Start(0))?;
    let mut walk = Walk(BufReader::with_capacity(1 << 16, file));
    let screen: [u8; 13] = walk.take()?;
    let mut info = ClipInfo::new(Container::Gif);
    let size = |low, high| Some(u32::from(u16::from_le_bytes([low, high]))).filter(|n| *n > 0);
    (info.width, info.height) = (size(screen[6], screen[7]), size(screen[8], screen[9]));
    walk.skip_colours(screen[10])?;
    let (mut pictures, mut hundredths) = (0u32, 0u64);
    loop {
        match walk.take::<1>()?[0] {
            0x3B if pictures > 0 => break,
            0x2C => {
                let about: [u8; 9] = walk.take()?;
                walk.skip_colours(about[8])?;
                walk.take::<1>()?;
                walk.skip_blocks()?;
                pictures = pictures.saturating_add(1);
            }
            0x21 => {
                if walk.take::<1>()?[0] == 0xF9 {
                    let timing: [u8; 5] = walk.take()?;
                    hundredths += u64::from(u16::from_le_bytes([timing[2], timing[3]]));
                }
                walk.skip_blocks()?;
            }
            _ => return Err(NotAClip::Damaged("it has a part that no GIF has".to_owned())),
        }
    }
    info.duration_ms = Some(hundredths * 10).filter(|ms| *ms > 0);
    info.codec = Some("gif".to_owned());
    Ok(info)
}

struct Walk<R>(R);

impl<R: Read> Walk<R> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], NotAClip> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => NotAClip::Cut("it ends before its last picture does".to_owned()),
            _ => error.into(),
        })?;
        Ok(bytes)
    }

    fn skip(&mut self, len: u64) -> Result<(), NotAClip> {
        let skipped = std::io::copy(&mut (&mut self.0).take(len), &mut std::io::sink())?;
        if skipped < len { Err(NotAClip::Cut("it ends before its last picture does".to_owned())) } else { Ok(()) }
    }

    fn skip_colours(&mut self, flags: u8) -> Result<(), NotAClip> {
        if flags & 0x80 == 0 { Ok(()) } else { self.skip(3 << ((flags & 7) + 1)) }
    }

    fn skip_blocks(&mut self) -> Result<(), NotAClip> {
        loop {
            match self.take::<1>()?[0] {
                0 => return Ok(()),
                len => self.skip(u64::from(len))?,
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Cursor;

    pub fn whole() -> Vec<u8> {
        let colours = [0; 6];
        let picture = [
            b"\x21\xF9\x04\0\x0A\0\0\0".as_slice(),
            b"\x2C\0\0\0\0\x20\0\x10\0\0",
            b"\x02",
            &[200; 201],
            &[3, 1, 2, 3, 0],
        ];
        [b"GIF89a\x20\0\x10\0\x80\0\0".as_slice(), &colours, &picture.concat(), &picture.concat(), b"\x3B"].concat()
    }

    #[test]
    fn a_whole_one_says_its_size_and_length_and_a_cut_one_is_refused() {
        let clip = whole();
        let info = inspect(&mut Cursor::new(&clip)).unwrap();
        assert_eq!((info.width, info.height, info.duration_ms, info.extension), (Some(32), Some(16), Some(200), "gif"));
        for keep in 6..clip.len() {
            assert!(inspect(&mut Cursor::new(&clip[..keep])).is_err(), "{keep} bytes pass for a whole clip");
        }
    }
}
