//! The files that a request names, out of the job's input artifacts. Nothing is read that no file
//! is wanted from, and of an archive no more than its directory and the members that are wanted.

use crate::aws::s3::{Object, Store};
use landfall_core::event::{Artifact, Job, Keys};
use landfall_core::formats::archive::{
    ArchiveError, ArchiveMember as Packed, Directory, Listed, Listing, TAIL, Unpacked,
};
use landfall_core::outcome::FileReference;
use landfall_core::outcome::{ArtifactError, Place, Searched, StoreError};
use landfall_core::request::{File, Files, Wanted};
use std::ops::Range;
use tokio::time::{Instant, timeout_at};

/// Reads of one member: its local header may be longer than its directory says.
const MEMBER_READS: u32 = 3;

/// Reads the files that are wanted. What has not answered by `until` counts as not reached.
pub async fn read(
    store: &Store,
    job: &Job,
    wanted: &Wanted,
    until: Instant,
) -> Result<Files, ArtifactError> {
    let members = [&wanted.manifest, &wanted.images];
    let members = members.into_iter().flatten().collect::<Vec<_>>();
    let Some(first) = members.first() else {
        return Ok(Files::default());
    };
    if job.artifacts.is_empty() {
        return Err(ArtifactError::NoArtifacts((*first).clone()));
    }
    for member in &members {
        if job
            .artifacts
            .iter()
            .all(|artifact| !member.may_be_in(&artifact.name))
        {
            let there = job.artifacts.iter().map(|artifact| artifact.name.clone());
            return Err(ArtifactError::NoSuchArtifact(
                (*member).clone(),
                there.collect(),
            ));
        }
    }
    let keys = job.keys.as_ref();
    let keys = keys.map_err(|error| ArtifactError::NoKeys(*error))?;
    let mut search = Search {
        found: vec![None; members.len()],
        near: vec![Vec::new(); members.len()],
        searched: Vec::new(),
        region: None,
        is_alone: job.artifacts.len() == 1,
        members,
    };
    for artifact in &job.artifacts {
        let look = search.look(store, keys, artifact);
        let looked = timeout_at(until, look).await;
        looked.unwrap_or_else(|_| Err(no_answer(artifact)))?;
    }
    let (members, found) = (search.members, search.found);
    if let Some(index) = found.iter().position(Option::is_none) {
        let may_be = |(artifact, _): &(&Artifact, _)| members[index].may_be_in(&artifact.name);
        let mut searched = search
            .searched
            .into_iter()
            .filter(may_be)
            .collect::<Vec<_>>();
        return Err(match searched.pop() {
            Some((_, Searched::Not(error))) if searched.is_empty() => *error,
            last => {
                let all = searched.into_iter().chain(last);
                let all = all.map(|(artifact, seen)| (artifact.name.clone(), seen));
                let near = search.near.swap_remove(index);
                ArtifactError::NoSuchFile(members[index].clone(), all.collect(), near)
            }
        });
    }
    let mut found = found.into_iter().flatten();
    Ok(Files {
        manifest: wanted.manifest.as_ref().and_then(|_| found.next()),
        images: wanted.images.as_ref().and_then(|_| found.next()),
        manifests: Vec::new(),
    })
}

fn no_answer(artifact: &Artifact) -> ArtifactError {
    let why = "it did not answer in time".to_owned();
    ArtifactError::Store(place_of(artifact), StoreError::Unreachable(why))
}

fn place_of(artifact: &Artifact) -> Place {
    Place::new(&artifact.name, &artifact.bucket, &artifact.key)
}

/// A search for files through the artifacts, in their order.
struct Search<'a> {
    members: Vec<&'a FileReference>,
    found: Vec<Option<File>>,
    /// For each file the names that are like its own.
    near: Vec<Vec<String>>,
    searched: Vec<(&'a Artifact, Searched)>,
    region: Option<String>,
    /// There is no other artifact.
    is_alone: bool,
}

impl<'a> Search<'a> {
    /// Looks into an artifact for what is still to be found. One that has no files for certain is
    /// passed over where another may have them.
    async fn look(
        &mut self,
        store: &Store,
        keys: &Keys,
        artifact: &'a Artifact,
    ) -> Result<(), ArtifactError> {
        let open = |index: &usize| {
            self.found[*index].is_none() && self.members[*index].may_be_in(&artifact.name)
        };
        let sought = (0..self.members.len()).filter(open).collect::<Vec<_>>();
        let Some(first) = sought.first() else {
            return Ok(());
        };
        let is_named = sought
            .iter()
            .any(|index| self.members[*index].artifact.is_some());
        let path = self.members[*first].path.clone();
        match self.unpack(store, keys, artifact, &sought).await {
            Ok(sample) => self.searched.push((artifact, Searched::Has(sample))),
            Err(error) if is_named || self.is_alone => return Err(error),
            Err(error) if error.has_no_files() => {
                self.searched
                    .push((artifact, Searched::Not(Box::new(error))));
            }
            Err(error) => return Err(ArtifactError::First(Box::new(error), path)),
        }
        Ok(())
    }

    /// Reads what is sought out of one artifact; some names of what else it has.
    async fn unpack(
        &mut self,
        store: &Store,
        keys: &Keys,
        artifact: &Artifact,
        sought: &[usize],
    ) -> Result<Vec<String>, ArtifactError> {
        let paths = sought.iter().map(|index| self.members[*index].path.clone());
        let paths = paths.collect::<Vec<_>>();
        let mut archive = Archive::open(store, keys, artifact, self.region.take()).await?;
        let mut listed = archive.list(&paths).await?;
        for (place, index) in sought.iter().enumerate() {
            self.near[*index].extend(listed.near[place].iter().cloned());
            if let Some(packed) = listed.found[place].take() {
                let member = self.members[*index];
                let packed =
                    packed.map_err(|error| ArtifactError::Packed(member.clone(), error))?;
                let content = archive.unpack(&packed, member).await?;
                self.found[*index] = Some(File {
                    artifact: artifact.name.clone(),
                    revision: artifact.revision.clone(),
                    content,
                });
            }
        }
        self.region = Some(archive.object.region().to_owned());
        Ok(listed.sample)
    }
}

/// An archive that is being read.
struct Archive<'a> {
    place: Place,
    object: Object<'a>,
    directory: Directory,
    /// Its last bytes.
    tail: Vec<u8>,
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
    async fn open(
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
    async fn list(&mut self, paths: &[String]) -> Result<Listed, ArtifactError> {
        let directory = self.directory.clone();
        let begin = |listing: &mut Listing| *listing = Listing::new(&directory, paths);
        let take = |listing: &mut Listing, bytes: &[u8]| match listing.feed(bytes) {
            Ok(()) => Ok(true),
            Err(error) => Err(Broken::Archive(error)),
        };
        let mut listing = Listing::new(&directory, paths);
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

    async fn unpack(
        &mut self,
        packed: &Packed,
        member: &FileReference,
    ) -> Result<Vec<u8>, ArtifactError> {
        let error = |error| ArtifactError::Packed(member.clone(), error);
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
