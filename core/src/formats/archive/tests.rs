use super::bytes::*;
use super::listing::{ALIKE_LIMIT, NEAR_LIMIT};
use super::member::*;
use super::names::{ALIKE_LENGTH, NAME_LIMIT};
use super::*;
use proptest::prelude::*;
use std::ops::Range;

const MANIFEST: &[u8] = include_bytes!("../../../../tests/archives/deployment.yaml");
const PATH: &str = "k8s/deployment.yaml";

/// Why nothing was read.
#[derive(Clone, Debug, PartialEq)]
enum Unread {
    Error(ArchiveError),
    Missing(Vec<String>),
}

/// Reads a member as from S3: `tail` bytes of the end first, then by ranges, in small pieces.
fn read(archive: &[u8], tail: usize, path: &str) -> Result<Vec<u8>, Unread> {
    let error = Unread::Error;
    let part = |range: Range<u64>| &archive[range.start as usize..range.end as usize];
    let total = archive.len() as u64;
    let tail = &archive[archive.len().saturating_sub(tail)..];
    let directory = Directory::find(tail, total).map_err(error)?;
    let wanted = [path.to_owned()];
    let mut listing = Listing::new(&directory, &wanted);
    for piece in part(directory.range.clone()).chunks(37) {
        listing.feed(piece).map_err(error)?;
    }
    let mut listed = listing.finish().map_err(error)?;
    let Some(member) = listed.found.remove(0) else {
        return Err(Unread::Missing(listed.near.remove(0)));
    };
    let member = member.map_err(error)?;
    let mut range = member.range();
    for _ in 0..3 {
        match member
            .unpack(part(range.clone()), range.start)
            .map_err(error)?
        {
            Unpacked::Content(content) => return Ok(content),
            Unpacked::Needs(needed) => range = needed,
        }
    }
    panic!("it needs more each time");
}

const WHOLE: usize = TAIL as usize;

/// A member for an archive of our own making.
struct Entry {
    name: Vec<u8>,
    content: Vec<u8>,
    size: u32,
    extra: usize,
}

fn entry(name: &str, content: &[u8]) -> Entry {
    Entry {
        name: name.into(),
        content: content.into(),
        size: content.len() as u32,
        extra: 0,
    }
}

/// Deflates each member; the local header gets `extra` bytes that the directory does not have.
fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for Entry {
        name,
        content,
        size,
        extra,
    } in entries
    {
        let packed = miniz_oxide::deflate::compress_to_vec(content, 9);
        let start = archive.len() as u32;
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        common.extend(crc32fast::hash(content).to_le_bytes());
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        archive.extend(LOCAL);
        archive.extend(&common);
        archive.extend((*extra as u16).to_le_bytes());
        archive.extend(name);
        archive.resize(archive.len() + extra, 0);
        archive.extend(packed);
        directory.extend(ENTRY);
        directory.extend([20, 3]);
        directory.extend(common);
        directory.extend([0; 12]);
        directory.extend(start.to_le_bytes());
        directory.extend(name);
    }
    let start = archive.len() as u32;
    let count = (entries.len() as u16).to_le_bytes();
    archive.extend(&directory);
    archive.extend(END);
    archive.extend([0; 4]);
    archive.extend(count);
    archive.extend(count);
    archive.extend((directory.len() as u32).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

#[test]
fn archives_of_other_programs_are_read() {
    let archives: [(&str, &[u8]); 12] = [
        (
            "stored",
            include_bytes!("../../../../tests/archives/python-stored.zip"),
        ),
        (
            "deflated",
            include_bytes!("../../../../tests/archives/python-deflated.zip"),
        ),
        (
            "Zip64",
            include_bytes!("../../../../tests/archives/python-zip64.zip"),
        ),
        (
            "comment",
            include_bytes!("../../../../tests/archives/python-comment.zip"),
        ),
        (
            "prefix",
            include_bytes!("../../../../tests/archives/python-prefix.zip"),
        ),
        (
            "unicode",
            include_bytes!("../../../../tests/archives/python-unicode.zip"),
        ),
        (
            "Info-ZIP",
            include_bytes!("../../../../tests/archives/infozip-deflated.zip"),
        ),
        (
            "Info-ZIP, stored",
            include_bytes!("../../../../tests/archives/infozip-stored.zip"),
        ),
        (
            "Info-ZIP, Zip64",
            include_bytes!("../../../../tests/archives/infozip-zip64.zip"),
        ),
        (
            "Info-ZIP, descriptors",
            include_bytes!("../../../../tests/archives/infozip-descriptors.zip"),
        ),
        (
            "Info-ZIP, stream",
            include_bytes!("../../../../tests/archives/infozip-stream.zip"),
        ),
        (
            "Info-ZIP, symlink",
            include_bytes!("../../../../tests/archives/infozip-symlink.zip"),
        ),
    ];
    for (name, archive) in archives {
        for tail in [160, WHOLE] {
            let content = read(archive, tail, PATH);
            assert_eq!(content.as_deref(), Ok(MANIFEST), "{name}, {tail}");
            let readme = read(archive, tail, "README.md");
            assert_eq!(readme.as_deref(), Ok(&b"# A demo\n"[..]), "{name}");
        }
        let folder = read(archive, WHOLE, "k8s").unwrap_err();
        let Unread::Missing(near) = folder else {
            panic!("{name}: {folder:?}");
        };
        assert!(near.contains(&PATH.to_owned()), "{name}: {near:?}");
    }
    let unicode = include_bytes!("../../../../tests/archives/python-unicode.zip");
    assert_eq!(
        read(unicode, WHOLE, "k8s/größe.yaml").as_deref(),
        Ok(&b"a: 1\n"[..])
    );
}

#[test]
fn names_are_read_as_they_are_meant() {
    for name in [
        "k8s/deployment.yaml",
        "./k8s/deployment.yaml",
        "k8s\\deployment.yaml",
        "/k8s/deployment.yaml",
        ".//k8s/deployment.yaml",
    ] {
        assert_eq!(
            read(&zip(&[entry(name, b"x")]), WHOLE, PATH),
            Ok(b"x".to_vec()),
            "{name}"
        );
    }
    let near = |names: &[&str]| {
        let entries = names
            .iter()
            .map(|name| entry(name, b""))
            .collect::<Vec<_>>();
        match read(&zip(&entries), WHOLE, PATH) {
            Err(Unread::Missing(near)) => near,
            other => panic!("{other:?}"),
        }
    };
    let names = ["a.png", "b", "c/", "d", "e", "f", "g.yaml", "h.YML", "i"];
    let entries = names.map(|name| entry(name, b""));
    let archive = zip(&entries);
    let directory = Directory::find(&archive, archive.len() as u64).unwrap();
    let mut listing = Listing::new(&directory, &[PATH.to_owned()]);
    let range = directory.range.start as usize..directory.range.end as usize;
    listing.feed(&archive[range]).unwrap();
    let sample = listing.finish().unwrap().sample;
    assert_eq!(sample, ["d", "e", "f", "g.yaml", "h.YML"]);
    assert_eq!(near(&["k8s/deploymnet.yaml"]), ["k8s/deploymnet.yaml"]);
    assert_eq!(
        near(&["deploy/Deployment.yaml"]),
        ["deploy/Deployment.yaml"]
    );
    assert_eq!(near(&["k8s/deployment.yaml/a"]), ["k8s/deployment.yaml/a"]);
    assert!(near(&["src/main.rs", "k8s/deployment.yaml/", "/k8s"]).is_empty());
    let many = (0..9)
        .map(|number| format!("{number}/deployment.yaml"))
        .collect::<Vec<_>>();
    assert_eq!(
        near(&many.iter().map(String::as_str).collect::<Vec<_>>()).len(),
        NEAR_LIMIT
    );
    assert!(near(&[&"x".repeat(NAME_LIMIT + 1)]).is_empty());
}

#[test]
fn a_local_header_may_be_longer_than_its_directory_says() {
    for extra in [0, 512, 513, 40_000] {
        let long = Entry {
            extra,
            ..entry(PATH, MANIFEST)
        };
        let archive = zip(&[entry("a", b"a"), long, entry("z", &[0; 70_000])]);
        assert_eq!(
            read(&archive, 200, PATH).as_deref(),
            Ok(MANIFEST),
            "{extra}"
        );
    }
    assert_eq!(read(&zip(&[entry(PATH, b"")]), WHOLE, PATH), Ok(Vec::new()));
}

#[test]
fn what_is_no_archive_is_told_apart() {
    let cases: [(&[u8], Found); 7] = [
        (b"", Found::Empty),
        (
            br#"{"fullRepositoryId": "a/b", "cloneUrl": "c"}"#,
            Found::Pointer,
        ),
        (b"\x1f\x8b\x08\x00", Found::Packed("gzip (tar.gz)")),
        (b"apiVersion: apps/v1\n", Found::Text),
        (b"\n<!DOCTYPE html>\n<html>", Found::Page("HTML")),
        (b"<?xml version=\"1.0\"?>\n<Error>", Found::Page("XML")),
        (&[0; 100], Found::Other),
    ];
    for (bytes, found) in cases {
        let error = Unread::Error(ArchiveError::NotZip(found));
        assert_eq!(read(bytes, WHOLE, PATH), Err(error), "{found:?}");
    }
    // The end of something large says nothing of what it is.
    let tail = Directory::find(b"{}", 10);
    assert_eq!(tail, Err(ArchiveError::NotZip(Found::Text)));
}

#[test]
fn what_cannot_be_read_is_said() {
    let encrypted = include_bytes!("../../../../tests/archives/infozip-encrypted.zip");
    let symlink = include_bytes!("../../../../tests/archives/infozip-symlink.zip");
    let bzip2 = include_bytes!("../../../../tests/archives/python-bzip2.zip");
    let cases: [(&[u8], &str, &str); 3] = [
        (encrypted, PATH, "is encrypted with a password"),
        (symlink, "k8s/link.yaml", "is a symbolic link"),
        (
            bzip2,
            PATH,
            "is compressed by a method other than `deflate`",
        ),
    ];
    for (archive, path, expected) in cases {
        let error = Unread::Error(ArchiveError::Unreadable(expected));
        assert_eq!(read(archive, WHOLE, path), Err(error));
    }
}

fn told(result: Result<Vec<u8>, Unread>) -> String {
    match result {
        Err(Unread::Error(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bombs_are_not_lit() {
    let bomb = entry(PATH, &vec![b'a'; 10 << 20]);
    insta::assert_snapshot!(told(read(&zip(&[bomb]), WHOLE, PATH)),
            @"has 10 MiB, and at most 2 MiB is read");
    let dense = entry(PATH, &vec![b'a'; 1 << 20]);
    insta::assert_snapshot!(told(read(&zip(&[dense]), WHOLE, PATH)),
            @"has 1 MiB packed into 1.0 KiB, and at most 300 times the packed size is read");
    // One that lies about its size is unpacked no further than it says.
    let liar = Entry {
        size: 100_000,
        ..entry(PATH, &vec![b'a'; 10 << 20])
    };
    insta::assert_snapshot!(told(read(&zip(&[liar]), WHOLE, PATH)),
            @"is a damaged ZIP archive: a member cannot be unpacked");
    let shorter = Entry {
        size: 100,
        ..entry(PATH, b"short")
    };
    insta::assert_snapshot!(told(read(&zip(&[shorter]), WHOLE, PATH)),
            @"is a damaged ZIP archive: a member does not match its check sum");
    let mut many = zip(&[entry(PATH, b"x")]);
    let end = many.len() - END_LENGTH;
    many[end + 12..end + 16].copy_from_slice(&(DIRECTORY_LIMIT as u32 + 1).to_le_bytes());
    insta::assert_snapshot!(told(read(&many, WHOLE, PATH)),
            @"has a directory of 64.0 MiB, and at most 64 MiB is read");
    let large = Directory::find(&zip(&[]), ARCHIVE_LIMIT + 1);
    insta::assert_snapshot!(large.unwrap_err(), @"has 5.0 GiB, and at most 5 GiB is read");
}

#[test]
fn a_directory_of_a_hundred_thousand_members_is_read_in_passing() {
    let mut entries = (0..100_000)
        .map(|number| entry(&format!("node_modules/{number}/package.json"), b"{}"))
        .collect::<Vec<_>>();
    entries.push(entry(PATH, MANIFEST));
    let archive = zip(&entries);
    assert_eq!(read(&archive, WHOLE, PATH).as_deref(), Ok(MANIFEST));
    let directory = Directory::find(&archive[archive.len() - WHOLE..], archive.len() as u64);
    let directory = directory.unwrap();
    let wanted = [PATH.to_owned()];
    let mut listing = Listing::new(&directory, &wanted);
    let bytes = &archive[directory.range.start as usize..directory.range.end as usize];
    for piece in bytes.chunks(8192) {
        listing.feed(piece).unwrap();
        assert!(listing.unread.len() < ENTRY_LENGTH + 100, "it is kept");
    }
}

#[test]
fn many_long_names_are_not_compared_for_ever() {
    let listed = |names: &mut dyn Iterator<Item = String>, wanted: &str| {
        let entries = names.map(|name| entry(&name, b"")).collect::<Vec<_>>();
        let start = std::time::Instant::now();
        let near = match read(&zip(&entries), WHOLE, wanted) {
            Err(Unread::Missing(near)) => near,
            other => panic!("{other:?}"),
        };
        (near, start.elapsed())
    };
    let long = format!("k8s/{}", "b".repeat(280));
    let names = |count| (0..count).map(|number| format!("{number:05}{}", "a".repeat(275)));
    let (near, took) = listed(&mut names(60_000), &long);
    assert!(near.is_empty());
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
    // The same file elsewhere is found without a comparison, be it long and late.
    let (near, _) = listed(&mut names(6000).chain([format!("x/{}", &long[4..])]), &long);
    assert_eq!(near.len(), 1);
    // A slip is found in a name of the greatest length, among the first names alone.
    let meant = "b".repeat(ALIKE_LENGTH);
    let slip = format!("{}x", &meant[1..]);
    let short = |count| (0..count).map(|n| format!("{n:05}{}", "a".repeat(ALIKE_LENGTH - 5)));
    let late = |count| listed(&mut short(count).chain([slip.clone()]), &meant).0;
    assert_eq!(late(ALIKE_LIMIT - 1), [slip.as_str()]);
    assert!(late(ALIKE_LIMIT).is_empty());
    assert!(
        listed(&mut [format!("{slip}x")].into_iter(), &meant)
            .0
            .is_empty()
    );
}

#[test]
fn archives_about_which_programs_disagree_are_refused() {
    let two = zip(&[entry(PATH, b"one"), entry(PATH, b"other")]);
    insta::assert_snapshot!(told(read(&two, WHOLE, PATH)),
            @r#"
        is a damaged ZIP archive: two members have its name
        "#);
    // The name in front of the data is another than the directory's.
    let mut other = zip(&[entry(PATH, b"x")]);
    other[LOCAL_LENGTH] = b'K';
    insta::assert_snapshot!(told(read(&other, WHOLE, PATH)),
            @"is a damaged ZIP archive: a member is another than its directory says");
    let mut flipped = zip(&[entry(PATH, MANIFEST)]);
    flipped[LOCAL_LENGTH + PATH.len() + 40] ^= 1;
    assert!(told(read(&flipped, WHOLE, PATH)).starts_with("is a damaged ZIP archive"));
}

/// The names that patterns match, with what is said about names that cannot be read.
fn matching(archive: &[u8], patterns: &[&str]) -> Listed {
    let directory = Directory::find(archive, archive.len() as u64).unwrap();
    let patterns = patterns.iter().map(|pattern| (*pattern).to_owned());
    let patterns = patterns.collect::<Vec<_>>();
    let mut listing = Listing::new(&directory, &[]).matching(&patterns);
    let range = directory.range.start as usize..directory.range.end as usize;
    for piece in archive[range].chunks(100) {
        listing.feed(piece).unwrap();
    }
    listing.finish().unwrap()
}

#[test]
fn patterns_find_each_file_once_and_tell_what_there_is_instead() {
    let names = [
        "k8s/b.yaml",
        "k8s/",
        "k8s\\a.yaml",
        "k8s/README.md",
        "k8s/.git/a.yaml",
        "__MACOSX/k8s/._a.yaml",
        "src/main.rs",
        "k8s/base/c.json",
    ];
    let archive = zip(&names.map(|name| entry(name, b"x")));
    let listed = matching(&archive, &["k8s", "k8s/*.yaml", "k8", "src", "x/*.yaml"]);
    let matches = listed.matches;
    let found = matches.files.keys().collect::<Vec<_>>();
    assert_eq!(found, ["k8s/a.yaml", "k8s/b.yaml", "k8s/base/c.json"]);
    assert_eq!(matches.count, 3);
    assert_eq!(matches.found, [true, true, false, false, false]);
    let near = ["k8s/b.yaml", "k8s/a.yaml", "k8s/base/c.json"];
    assert_eq!(matches.near[2], near);
    assert_eq!(matches.near[3], ["src/main.rs"]);
    assert!(matches.near[4].is_empty());
    // Of what is too many, the number is known and no more kept.
    let many = (0..FILES_LIMIT + 3).map(|number| entry(&format!("k8s/{number}.yaml"), b"x"));
    let matches = matching(&zip(&many.collect::<Vec<_>>()), &["k8s"]).matches;
    assert_eq!(
        (matches.count, matches.files.len()),
        (FILES_LIMIT + 3, FILES_LIMIT)
    );
    // A file may be larger than one that is named alone, and not larger than all of them may be.
    let random = (0..3 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8);
    let large = entry("k8s/a.yaml", &random.collect::<Vec<_>>());
    let liar = Entry {
        size: 9 << 20,
        ..entry("k8s/b.yaml", b"x")
    };
    let twice = [entry("k8s/c.yaml", b"x"), entry("k8s/c.yaml", b"y")];
    let archive = [large, liar].into_iter().chain(twice).collect::<Vec<_>>();
    let files = matching(&zip(&archive), &["k8s"]).matches.files;
    let said = files.iter().map(|(name, read)| match read {
        Ok(member) => format!("{name}: {}", size(member.size())),
        Err(error) => format!("{name} {error}"),
    });
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"), @r"
    k8s/a.yaml: 3 MiB
    k8s/b.yaml has 9 MiB, and at most 8 MiB is read
    k8s/c.yaml is a damaged ZIP archive: two members have its name
    ");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever is broken in it, an archive is refused or read, within its limits.
    #[test]
    fn no_archive_breaks_us(changes in prop::collection::vec((any::<u16>(), any::<u8>()), 1..6),
            cut in prop::option::of(any::<u16>()), which in 0..3) {
        let archives: [&[u8]; 3] = [
            include_bytes!("../../../../tests/archives/python-zip64.zip"),
            include_bytes!("../../../../tests/archives/infozip-stream.zip"),
            include_bytes!("../../../../tests/archives/infozip-zip64.zip"),
        ];
        let mut archive = archives[which as usize].to_vec();
        for (place, value) in changes {
            let place = usize::from(place) % archive.len();
            archive[place] = value;
        }
        if let Some(cut) = cut {
            archive.truncate(usize::from(cut) % archive.len());
        }
        if let Ok(content) = read(&archive, WHOLE, PATH) {
            prop_assert!(content.len() as u64 <= MEMBER_LIMIT);
        }
    }
}

#[test]
fn what_is_packed_is_read_again() {
    let lines = (0..9000).map(|number| format!("line {number} of the page\n"));
    let long = lines.collect::<String>();
    let archive = pack(&[("report.html", long.as_bytes()), ("report.json", b"{}\n")]);
    assert!(archive.len() < long.len() / 4, "{}", archive.len());
    let all = archive.len();
    assert_eq!(read(&archive, all, "report.html"), Ok(long.into_bytes()));
    assert_eq!(read(&archive, all, "report.json"), Ok(b"{}\n".to_vec()));
}
