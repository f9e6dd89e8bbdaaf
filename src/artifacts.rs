//! The files that a request names, out of the job's input artifacts. Nothing is read that no file
//! is wanted from, and of an archive no more than its directory and the members that are wanted.

mod archive;

use crate::aws::s3::Store;
use archive::{Archive, place_of};
use landfall_core::event::{Artifact, Job, Keys};
use landfall_core::formats::archive::{ArchiveMember, FILES_LIMIT, FILES_SIZE_LIMIT, Matches};
use landfall_core::outcome::{ArtifactError, FileReference, Searched, StoreError};
use landfall_core::request::{File, Files, NamedFile, Wanted};
use tokio::time::{Instant, timeout_at};

/// Reads the files that are wanted. What has not answered by `until` counts as not reached.
pub async fn read(
    store: &Store,
    job: &Job,
    wanted: &Wanted,
    until: Instant,
) -> Result<Files, ArtifactError> {
    let members = [&wanted.manifest, &wanted.images].into_iter().flatten();
    let all = members.chain(&wanted.manifests).collect::<Vec<_>>();
    let Some(first) = all.first() else {
        return Ok(Files::default());
    };
    if job.artifacts.is_empty() {
        return Err(ArtifactError::NoArtifacts((*first).clone()));
    }
    for reference in all {
        let mut names = job.artifacts.iter().map(|artifact| &artifact.name);
        if !names.any(|name| reference.may_be_in(name)) {
            let there = job.artifacts.iter().map(|artifact| artifact.name.clone());
            let there = there.collect();
            return Err(ArtifactError::NoSuchArtifact(reference.clone(), there));
        }
    }
    let keys = job.keys.as_ref();
    let keys = keys.map_err(|error| ArtifactError::NoKeys(*error))?;
    let mut search = Search::new(job, wanted);
    for artifact in &job.artifacts {
        let look = search.look(store, keys, artifact);
        let looked = timeout_at(until, look).await;
        looked.unwrap_or_else(|_| Err(no_answer(artifact)))?;
    }
    search.files(wanted)
}

fn no_answer(artifact: &Artifact) -> ArtifactError {
    let why = "it did not answer in time".to_owned();
    ArtifactError::Store(place_of(artifact), StoreError::Unreachable(why))
}

/// What is looked for: a file, or the files that match a pattern.
struct Target<'a, T> {
    reference: &'a FileReference,
    /// What was found; `None` while nothing was.
    found: Option<T>,
    /// Names that are like its own.
    near: Vec<String>,
}

impl<'a, T> Target<'a, T> {
    fn new(reference: &'a FileReference) -> Target<'a, T> {
        Target {
            reference,
            found: None,
            near: Vec::new(),
        }
    }

    fn is_open(&self, artifact: &Artifact) -> bool {
        self.found.is_none() && self.reference.may_be_in(&artifact.name)
    }
}

/// The places of the targets that an artifact may have, and their paths.
fn open<T>(targets: &[Target<'_, T>], artifact: &Artifact) -> (Vec<usize>, Vec<String>) {
    let open = targets.iter().enumerate();
    let open = open.filter(|(_, target)| target.is_open(artifact));
    open.map(|(index, target)| (index, target.reference.path.clone()))
        .unzip()
}

/// A search for files through the artifacts, in their order.
struct Search<'a> {
    members: Vec<Target<'a, File>>,
    patterns: Vec<Target<'a, ()>>,
    /// The files that match patterns, and how large they are together.
    files: Vec<NamedFile>,
    size: u64,
    searched: Vec<(&'a Artifact, Searched)>,
    region: Option<String>,
    /// There is no other artifact.
    is_alone: bool,
}

impl<'a> Search<'a> {
    fn new(job: &Job, wanted: &'a Wanted) -> Search<'a> {
        let members = [&wanted.manifest, &wanted.images];
        Search {
            members: members.into_iter().flatten().map(Target::new).collect(),
            patterns: wanted.manifests.iter().map(Target::new).collect(),
            files: Vec::new(),
            size: 0,
            searched: Vec::new(),
            region: None,
            is_alone: job.artifacts.len() == 1,
        }
    }

    /// Looks into an artifact for what is still to be found. One that has no files for certain is
    /// passed over where another may have them.
    async fn look(
        &mut self,
        store: &Store,
        keys: &Keys,
        artifact: &'a Artifact,
    ) -> Result<(), ArtifactError> {
        let members = self
            .members
            .iter()
            .filter(|target| target.is_open(artifact));
        let patterns = self
            .patterns
            .iter()
            .filter(|target| target.is_open(artifact));
        let sought = members.map(|target| target.reference);
        let sought = sought.chain(patterns.map(|target| target.reference));
        let sought = sought.collect::<Vec<_>>();
        let Some(first) = sought.first() else {
            return Ok(());
        };
        let is_named = sought.iter().any(|reference| reference.artifact.is_some());
        let path = first.path.clone();
        match self.unpack(store, keys, artifact).await {
            Ok(sample) => self.searched.push((artifact, Searched::Has(sample))),
            Err(error) if is_named || self.is_alone => return Err(error),
            Err(error) if error.has_no_files() => {
                self.searched
                    .push((artifact, Searched::Not(Box::new(error))));
            }
            Err(error @ (ArtifactError::TooManyFiles(..) | ArtifactError::TooLarge(..))) => {
                return Err(error);
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
    ) -> Result<Vec<String>, ArtifactError> {
        let (members, paths) = open(&self.members, artifact);
        let (patterns, globs) = open(&self.patterns, artifact);
        let mut archive = Archive::open(store, keys, artifact, self.region.take()).await?;
        let mut listed = archive.list(&paths, &globs).await?;
        let file = |content| File {
            artifact: artifact.name.clone(),
            revision: artifact.revision.clone(),
            content,
        };
        for (place, index) in members.into_iter().enumerate() {
            let target = &mut self.members[index];
            target.near.append(&mut listed.near[place]);
            if let Some(packed) = listed.found[place].take() {
                let member = target.reference;
                let packed =
                    packed.map_err(|error| ArtifactError::Packed(member.clone(), error))?;
                target.found = Some(file(archive.unpack(&packed, member).await?));
            }
        }
        for (place, index) in patterns.into_iter().enumerate() {
            let target = &mut self.patterns[index];
            target.near.append(&mut listed.matches.near[place]);
            target.found = listed.matches.found[place].then_some(());
        }
        let matches = self.within_limits(listed.matches, artifact)?;
        let contents = archive.unpack_all(&matches).await?;
        let matches = matches.into_iter().map(|(member, _)| member.path);
        let named = matches.zip(contents).map(|(path, content)| NamedFile {
            path,
            file: file(content),
        });
        self.files.extend(named);
        self.region = Some(archive.object.region().to_owned());
        Ok(listed.sample)
    }

    /// The members that match patterns, if with those of other artifacts they are few enough and
    /// small enough. Nothing of them has been read yet.
    fn within_limits(
        &mut self,
        matches: Matches,
        artifact: &Artifact,
    ) -> Result<Vec<(FileReference, ArchiveMember)>, ArtifactError> {
        let references = || self.patterns.iter().map(|target| target.reference.clone());
        let count = self.files.len() + matches.count;
        if count > FILES_LIMIT {
            return Err(ArtifactError::TooManyFiles(references().collect(), count));
        }
        let mut members = Vec::new();
        for (path, packed) in matches.files {
            let member = FileReference {
                artifact: Some(artifact.name.clone()),
                path,
            };
            match packed {
                Ok(packed) => members.push((member, packed)),
                Err(error) => return Err(ArtifactError::Packed(member, error)),
            }
        }
        let sizes = members.iter().map(|(_, packed)| packed.size());
        self.size += sizes.sum::<u64>();
        if self.size > FILES_SIZE_LIMIT {
            let largest = members.iter().max_by_key(|(_, packed)| packed.size());
            let largest = largest.map(|(member, packed)| (member.clone(), packed.size()));
            return Err(ArtifactError::TooLarge(count, self.size, largest));
        }
        Ok(members)
    }

    /// The files that were found, unless one that is wanted was not.
    fn files(self, wanted: &Wanted) -> Result<Files, ArtifactError> {
        if let Some(target) = self.members.iter().find(|target| target.found.is_none()) {
            let (member, near) = (target.reference, target.near.clone());
            return Err(nowhere(self.searched, member, |all| {
                ArtifactError::NoSuchFile(member.clone(), all, near)
            }));
        }
        if let Some(target) = self.patterns.iter().find(|target| target.found.is_none()) {
            let (pattern, near) = (target.reference, target.near.clone());
            return Err(nowhere(self.searched, pattern, |all| {
                ArtifactError::NothingMatches(pattern.clone(), all, near)
            }));
        }
        let mut found = self.members.into_iter().filter_map(|target| target.found);
        let mut manifests = self.files;
        // Files of the same name stay in the order of their artifacts.
        manifests.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Files {
            manifest: wanted.manifest.as_ref().and_then(|_| found.next()),
            images: wanted.images.as_ref().and_then(|_| found.next()),
            manifests,
        })
    }
}

/// The error for what is in no artifact: for a single artifact without files, what is wrong with
/// that.
fn nowhere(
    searched: Vec<(&Artifact, Searched)>,
    reference: &FileReference,
    error: impl FnOnce(Vec<(String, Searched)>) -> ArtifactError,
) -> ArtifactError {
    let mut searched = searched;
    searched.retain(|(artifact, _)| reference.may_be_in(&artifact.name));
    match searched.pop() {
        Some((_, Searched::Not(error))) if searched.is_empty() => *error,
        last => {
            let all = searched.into_iter().chain(last);
            let all = all.map(|(artifact, seen)| (artifact.name.clone(), seen));
            error(all.collect())
        }
    }
}
