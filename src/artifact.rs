//! The files that a request names, out of the job's input artifacts. Nothing is read that no file
//! is wanted from, and of an archive no more than its directory and the members that are wanted.

use crate::amazon::Keys;
use crate::archive::{
    ArchiveError, Directory, Found, Listed, Listing, Member as Packed, TAIL, Unpacked,
};
use crate::bucket::{Object, Store, StoreError};
use crate::job::{Artifact, Job};
use crate::manifest::told;
use crate::report::Kind;
use crate::request::{File, Files, Member, Wanted};
use std::fmt;
use std::ops::Range;

/// Reads of one member: its local header may be longer than its directory says.
const MEMBER_READS: u32 = 3;

/// Why a file cannot be had.
#[derive(Clone, Debug, PartialEq)]
pub enum ArtifactError {
    /// The action has no input artifacts, and this file is wanted.
    NoArtifacts(Member),
    /// It has none of this name, but these.
    NoSuchArtifact(Member, Vec<String>),
    /// The job brings no credentials.
    NoKeys,
    /// The artifact of this name, there, cannot be read.
    Store(Place, StoreError),
    /// It can, and is not what it should be.
    Archive(Place, ArchiveError),
    /// A file in it is not what it should be.
    Packed(Member, ArchiveError),
    /// No artifact has the file; these were searched, and have files of like names.
    NoSuchFile(Member, Vec<String>, Vec<String>),
}

/// An artifact and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    name: String,
    url: String,
}

impl ArtifactError {
    /// The type of failure that it is reported as.
    pub fn kind(&self) -> Kind {
        match self {
            ArtifactError::NoArtifacts(_) | ArtifactError::NoSuchArtifact(..) => {
                Kind::ConfigurationError
            }
            ArtifactError::NoKeys => Kind::PermissionError,
            ArtifactError::Archive(..)
            | ArtifactError::Packed(..)
            | ArtifactError::NoSuchFile(..) => Kind::RevisionUnavailable,
            ArtifactError::Store(_, error) => match error {
                StoreError::Missing(_) | StoreError::Frozen | StoreError::Changed => {
                    Kind::RevisionUnavailable
                }
                StoreError::Denied(_) | StoreError::KeyDenied(_) | StoreError::Expired(_) => {
                    Kind::PermissionError
                }
                StoreError::Unreachable(_) | StoreError::Refused(_) => Kind::SystemUnavailable,
            },
        }
    }

    /// Whether it may be read a little later.
    pub fn may_pass(&self) -> bool {
        matches!(self, ArtifactError::Store(_, StoreError::Unreachable(_)))
    }

    /// What to do about it.
    pub fn next(&self) -> &'static str {
        match self {
            ArtifactError::NoArtifacts(_) | ArtifactError::NoSuchArtifact(..) => {
                "List the artifact among the action's InputArtifacts, or correct the name in the \
                 UserParameters, and release the change again."
            }
            ArtifactError::NoKeys => {
                "An event of CodePipeline brings artifactCredentials; one written by hand needs \
                 them, too."
            }
            ArtifactError::Archive(_, ArchiveError::NotZip(Found::Json)) => {
                "Set the source action's OutputArtifactFormat to CODE_ZIP, or take the file from \
                 the artifact of a build that puts it there."
            }
            ArtifactError::Packed(_, ArchiveError::Limit(..)) => {
                "Give the Deployment a file of its own, and name that: of a file with other objects \
                 nothing else is applied."
            }
            ArtifactError::Archive(..) | ArtifactError::Packed(..) => {
                "Look at what the action that makes the artifact puts there. CodePipeline's own \
                 actions make ZIP archives."
            }
            ArtifactError::NoSuchFile(..) => {
                "Correct the path in the UserParameters, or have the build list the file among its \
                 artifacts (`artifacts: files:` in its buildspec)."
            }
            ArtifactError::Store(_, error) => next_in_store(error),
        }
    }
}

fn next_in_store(error: &StoreError) -> &'static str {
    match error {
        StoreError::Missing(_) | StoreError::Frozen => {
            "Release the change again, so that the artifact is made anew. A lifecycle rule of the \
             bucket may remove artifacts that are still needed."
        }
        StoreError::Changed => "Retry.",
        StoreError::Denied(_) => {
            "The job's credentials are those of the pipeline: its role, the bucket's policy and \
             its endpoint policy must allow s3:GetObject on the artifact. S3 also denies what is \
             not there, where it may not be listed."
        }
        StoreError::KeyDenied(_) => {
            "The pipeline's role needs kms:Decrypt on the key of the artifact store, and the key's \
             policy must allow it; the key must be enabled."
        }
        StoreError::Expired(_) => {
            "Retry: each job brings credentials of its own. Where this happens again, the job \
             waited too long before it was run."
        }
        StoreError::Unreachable(_) | StoreError::Refused(_) => {
            "Retry. In a VPC the function needs a route or a gateway endpoint to S3."
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Artifact `{}` ({})", self.name, self.url)
    }
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArtifactError::NoArtifacts(member) => write!(
                formatter,
                "{member} is to be read from an input artifact, and the action has none"
            ),
            ArtifactError::NoSuchArtifact(member, there) => write!(
                formatter,
                "{member} is to be read from an input artifact that the action does not have; it \
                 has {}",
                told(there)
            ),
            ArtifactError::NoKeys => formatter
                .write_str("The input artifacts cannot be read: the job brings no credentials"),
            ArtifactError::Archive(place, error) => write!(formatter, "{place} {error}"),
            ArtifactError::Packed(member, ArchiveError::Damaged(why)) => {
                write!(formatter, "{member} is damaged in its archive: {why}")
            }
            ArtifactError::Packed(member, error) => write!(formatter, "{member} {error}"),
            ArtifactError::NoSuchFile(member, searched, near) => {
                let path = &member.path;
                write!(
                    formatter,
                    "There is no file `{path}` in artifact {}",
                    told(searched)
                )?;
                match near.is_empty() {
                    true => Ok(()),
                    false => write!(formatter, "; there is {}", told(near)),
                }
            }
            ArtifactError::Store(place, error) => {
                write!(formatter, "{place} cannot be read: ")?;
                match error {
                    StoreError::Missing(said) => write!(formatter, "it is not there ({said})"),
                    StoreError::Frozen => {
                        formatter.write_str("it was moved to an archive tier of S3")
                    }
                    StoreError::Denied(said) => write!(formatter, "S3 denies it ({said})"),
                    StoreError::KeyDenied(said) => {
                        write!(
                            formatter,
                            "the key that it is encrypted with is denied ({said})"
                        )
                    }
                    StoreError::Expired(said) => {
                        write!(formatter, "the job's credentials have expired ({said})")
                    }
                    StoreError::Changed => formatter.write_str("it was replaced meanwhile"),
                    StoreError::Unreachable(why) => {
                        write!(formatter, "S3 could not be reached: {why}")
                    }
                    StoreError::Refused(said) => write!(formatter, "S3 refused the call ({said})"),
                }
            }
        }
    }
}

/// Reads the files that are wanted.
pub async fn read(store: &Store, job: &Job, wanted: &Wanted) -> Result<Files, ArtifactError> {
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
            .all(|artifact| !member.may_be_in(artifact))
        {
            let there = job.artifacts.iter().map(|artifact| artifact.name.clone());
            return Err(ArtifactError::NoSuchArtifact(
                (*member).clone(),
                there.collect(),
            ));
        }
    }
    let keys = job.keys.as_ref().ok_or(ArtifactError::NoKeys)?;
    let mut found = vec![None; members.len()];
    let mut near = vec![Vec::new(); members.len()];
    let mut region = None;
    for artifact in &job.artifacts {
        let open = |index: &usize| found[*index].is_none() && members[*index].may_be_in(artifact);
        let sought = (0..members.len()).filter(open).collect::<Vec<_>>();
        if sought.is_empty() {
            continue;
        }
        let paths = sought
            .iter()
            .map(|index| members[*index].path.clone())
            .collect::<Vec<_>>();
        let mut archive = Archive::open(store, keys, artifact, region.take()).await?;
        let mut listed = archive.list(&paths).await?;
        for (place, index) in sought.into_iter().enumerate() {
            near[index].extend(listed.near[place].iter().cloned());
            if let Some(packed) = listed.found[place].take() {
                let packed =
                    packed.map_err(|error| ArtifactError::Packed(members[index].clone(), error))?;
                let packed = &packed;
                let content = archive.unpack(packed, members[index]).await?;
                found[index] = Some(File {
                    artifact: artifact.name.clone(),
                    revision: artifact.revision.clone(),
                    content,
                });
            }
        }
        region = Some(archive.object.region().to_owned());
    }
    if let Some(index) = found.iter().position(Option::is_none) {
        let searched = job
            .artifacts
            .iter()
            .filter(|artifact| members[index].may_be_in(artifact));
        let searched = searched.map(|artifact| artifact.name.clone()).collect();
        let near = near.swap_remove(index);
        return Err(ArtifactError::NoSuchFile(
            members[index].clone(),
            searched,
            near,
        ));
    }
    let mut found = found.into_iter().flatten();
    Ok(Files {
        manifest: wanted.manifest.as_ref().and_then(|_| found.next()),
        images: wanted.images.as_ref().and_then(|_| found.next()),
    })
}

impl Member {
    fn may_be_in(&self, artifact: &Artifact) -> bool {
        self.artifact
            .as_ref()
            .is_none_or(|name| *name == artifact.name)
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
        let place = Place {
            name: artifact.name.clone(),
            url: format!("s3://{}/{}", artifact.bucket, artifact.key),
        };
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

    async fn unpack(&mut self, packed: &Packed, member: &Member) -> Result<Vec<u8>, ArtifactError> {
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
