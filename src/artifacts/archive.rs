//! One archive in S3: its directory, and the members that are wanted.

use crate::aws::s3::{Object, Store};
use landfall_core::event::{Artifact, Keys};
use landfall_core::formats::archive::{
    ArchiveError, ArchiveMember as Packed, Directory, Listed, Listing, TAIL, Unpacked, batches,
};
use landfall_core::outcome::{ArtifactError, FileReference, Place, StoreError};
use std::ops::Range;

/// Reads of one member: its local header may be longer than its directory says.
const MEMBER_READS: u32 = 3;

/// An artifact's name and location, for messages.
pub(super) fn place_of(artifact: &Artifact) -> Place {
    Place::new(&artifact.name, &artifact.bucket, &artifact.key)
}

/// An archive that is being read.
pub(super) struct Archive<'a> {
    place: Place,
    pub(super) object: Object<'a>,
    directory: Directory,
    /// Its last bytes.
    tail: Vec<u8>,
}

fn broken_member(member: &FileReference, error: ArchiveError) -> ArtifactError {
    ArtifactError::Packed(member.clone(), error)
}

/// What ends the reading of a piece.
enum Broken {
    Store(StoreError),
    Archive(ArchiveError),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Broken {
        Broken::Store(error)
    }
}

impl<'a> Archive<'a> {
    pub(super) async fn open(
        store: &'a Store,
        keys: &'a Keys,
        artifact: &'a Artifact,
        region: Option<String>,
    ) -> Result<Archive<'a>, ArtifactError> {
        if artifact.bucket.is_empty() {
            return Err(ArtifactError::NoLocation(artifact.name.clone()));
        }
        let place = place_of(artifact);
        let opened = store.open(keys, artifact, TAIL, region).await;
        let (object, tail) = opened.map_err(|error| ArtifactError::Store(place.clone(), error))?;
        let directory = Directory::find(&tail, object.total);
        let directory = directory.map_err(|error| ArtifactError::Archive(place.clone(), error))?;
        tracing::info!(
            artifact = artifact.name,
            bytes = object.total,
            "reading an artifact"
        );
        Ok(Archive {
            place,
            object,
            directory,
            tail,
        })
    }

    fn broken(&self, broken: Broken) -> ArtifactError {
        match broken {
            Broken::Store(error) => ArtifactError::Store(self.place.clone(), error),
            Broken::Archive(error) => ArtifactError::Archive(self.place.clone(), error),
        }
    }

    /// Where the bytes that are here begin.
    fn tail_start(&self) -> u64 {
        self.object.total - self.tail.len() as u64
    }

    /// Looks for members. A directory that is longer than what is here is read in passing.
    pub(super) async fn list(
        &mut self,
        paths: &[String],
        patterns: &[String],
    ) -> Result<Listed, ArtifactError> {
        let directory = self.directory.clone();
        let new = || Listing::new(&directory, paths).matching(patterns);
        let begin = |listing: &mut Listing| *listing = new();
        let take = |listing: &mut Listing, bytes: &[u8]| match listing.feed(bytes) {
            Ok(()) => Ok(true),
            Err(error) => Err(Broken::Archive(error)),
        };
        let mut listing = new();
        let read = match self.here(&directory.range) {
            Some(bytes) => take(&mut listing, bytes).map(|_| ()),
            None => {
                let range = directory.range.clone();
                self.object.read(range, &mut listing, begin, take).await
            }
        };
        read.map_err(|broken| self.broken(broken))?;
        listing
            .finish()
            .map_err(|error| self.broken(Broken::Archive(error)))
    }

    /// Bytes of the archive, if they were read with its end.
    fn here(&self, range: &Range<u64>) -> Option<&[u8]> {
        let place = |at: u64| usize::try_from(at.checked_sub(self.tail_start())?).ok();
        self.tail.get(place(range.start)?..place(range.end)?)
    }

    /// Unpacks several members, in the given order. Those that lie side by side take one read.
    pub(super) async fn unpack_all(
        &mut self,
        wanted: &[(FileReference, Packed)],
    ) -> Result<Vec<Vec<u8>>, ArtifactError> {
        let mut contents = vec![Vec::new(); wanted.len()];
        let ranges = wanted.iter().map(|(_, packed)| packed.range());
        let ranges = ranges.collect::<Vec<_>>();
        let (near, far) =
            (0..wanted.len()).partition::<Vec<_>, _>(|index| self.here(&ranges[*index]).is_some());
        for index in near {
            let (member, packed) = &wanted[index];
            contents[index] = self.unpack(packed, member).await?;
        }
        let far_ranges = far.iter().map(|index| ranges[*index].clone());
        for batch in batches(&far_ranges.collect::<Vec<_>>()) {
            let bytes = self.bytes(batch.range.clone()).await?;
            for index in batch.members.iter().map(|place| far[*place]) {
                let (member, packed) = &wanted[index];
                let unpacked = packed.unpack(&bytes, batch.range.start);
                contents[index] = match unpacked.map_err(|error| broken_member(member, error))? {
                    Unpacked::Content(content) => content,
                    // Its local header is longer than usual.
                    Unpacked::Needs(_) => self.unpack(packed, member).await?,
                };
            }
        }
        Ok(contents)
    }

    pub(super) async fn unpack(
        &mut self,
        packed: &Packed,
        member: &FileReference,
    ) -> Result<Vec<u8>, ArtifactError> {
        let error = |error| broken_member(member, error);
        let mut range = packed.range();
        for _ in 0..MEMBER_READS {
            let read;
            let bytes = match self.here(&range) {
                Some(bytes) => bytes,
                None => {
                    read = self.bytes(range.clone()).await?;
                    &read
                }
            };
            match packed.unpack(bytes, range.start).map_err(error)? {
                Unpacked::Content(content) => return Ok(content),
                Unpacked::Needs(needed) if needed == range => break,
                Unpacked::Needs(needed) => range = needed,
            }
        }
        Err(error(ArchiveError::Damaged("a member ends too early")))
    }

    /// Bytes of a member, whose length is limited.
    async fn bytes(&mut self, range: Range<u64>) -> Result<Vec<u8>, ArtifactError> {
        let limit = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        let begin = |bytes: &mut Vec<u8>| bytes.clear();
        let take = |bytes: &mut Vec<u8>, more: &[u8]| {
            let room = limit - bytes.len();
            bytes.extend_from_slice(&more[..more.len().min(room)]);
            Ok::<_, Broken>(more.len() < room)
        };
        let read = self.object.read(range, &mut bytes, begin, take).await;
        read.map_err(|broken| self.broken(broken))?;
        Ok(bytes)
    }
}
