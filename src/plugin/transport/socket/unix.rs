//! Unix: a socket with a random name in a folder that only our user may enter.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::plugin::transport::error::StartError;
use crate::plugin::transport::host::Host;
use crate::plugin::transport::socket::Socket;

pub(in crate::plugin::transport) type Stream = tokio::net::UnixStream;

/// Accepts connections; made from a bound listener once the runtime is there.
#[derive(Debug)]
pub(in crate::plugin::transport) struct Acceptor(UnixListener);

impl Acceptor {
    pub(in crate::plugin::transport) async fn accept(&self) -> io::Result<Stream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }
}

/// Opens the socket. Needs the runtime's context.
///
/// # Errors
/// Names what stands in the way: folder, length of the path, group.
pub(in crate::plugin::transport) fn bind(host: &Host) -> Result<(Socket, Acceptor), StartError> {
    let group = host.socket_group.as_deref().map(group_number).transpose()?;
    let place = match &host.socket_folder {
        Some(folder) => Place::make(folder)?,
        None => Place::make_or_shorter(&std::env::temp_dir())?,
    };
    let path = place.socket.clone();
    let refused = |source| StartError::Bind {
        path: path.clone(),
        source,
    };
    let listener = StdListener::bind(&path).map_err(refused)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(refused)?;
    let mut open_to = "processes of this user (and of root)".to_owned();
    if let Some(group) = group {
        share(&place.folder, 0o710, group)?;
        share(&path, 0o660, group)?;
        open_to = format!("processes of this user, of group {group} (and of root)");
    }
    listener.set_nonblocking(true).map_err(refused)?;
    let acceptor = Acceptor(UnixListener::from_std(listener).map_err(refused)?);
    let address = path.to_string_lossy().into_owned();
    Ok((
        Socket {
            network: "unix",
            address,
            open_to,
            _place: place,
        },
        acceptor,
    ))
}

/// A private folder with the socket in it, both removed on drop.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    socket: PathBuf,
}

impl Place {
    /// In this folder, or in the short one that every Unix has where the path would be too long for a socket.
    fn make_or_shorter(parent: &Path) -> Result<Self, StartError> {
        match Self::make(parent) {
            Err(too_long @ StartError::PathTooLong { .. }) => Self::make(Path::new(SHORT_FOLDER)).map_err(|_| too_long),
            made => made,
        }
    }

    /// The folder, not the socket's mode, keeps others out: some systems do not look at the mode of a socket.
    ///
    /// Below `parent` the path takes 17 bytes, as many as go-plugin's at most: where a plugin in Go starts, ours does.
    fn make(parent: &Path) -> Result<Self, StartError> {
        let random: String = (0..8)
            .map(|_| char::from(LETTERS[usize::from(rand::random::<u8>()) % LETTERS.len()]))
            .collect();
        let folder = parent.join(format!("plugin{random}"));
        let socket = folder.join("s");
        let length = socket.as_os_str().len();
        if length > LONGEST_PATH {
            return Err(StartError::PathTooLong {
                path: socket,
                length,
                limit: LONGEST_PATH,
            });
        }
        // Not recursive: a name that already exists, by chance or by malice, is an error.
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|source| StartError::Folder {
                parent: parent.to_owned(),
                source,
            })?;
        Ok(Self { folder, socket })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Nothing can be done about a failure, and nobody is left to tell.
        let _ = fs::remove_file(&self.socket);
        let _ = fs::remove_dir(&self.folder);
    }
}

fn share(path: &Path, mode: u32, group: u32) -> Result<(), StartError> {
    chown(path, None, Some(group))
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(|source| StartError::Group {
            path: path.to_owned(),
            group,
            source,
        })
}

/// A group's number, given as such or as a name in `/etc/group`. Directory services are out of std's reach.
fn group_number(group: &str) -> Result<u32, StartError> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    groups
        .lines()
        .filter_map(|line| line.split(':').collect::<Vec<_>>().try_into().ok())
        .find_map(
            |[name, _, number, _]: [&str; 4]| {
                if name == group { number.parse().ok() } else { None }
            },
        )
        .ok_or_else(|| StartError::UnknownGroup {
            group: group.to_owned(),
        })
}

/// Of the random part of a name. 32 of them, so that each is equally likely.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Where a socket goes whose own folder has too long a name.
const SHORT_FOLDER: &str = "/tmp";
/// Bytes of a socket address without the closing zero.
const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

#[cfg(test)]
mod tests {
    use super::*;

    fn in_folder(folder: &Path) -> Host {
        Host {
            socket_folder: Some(folder.to_owned()),
            ..Host::default()
        }
    }

    #[tokio::test]
    async fn the_socket_is_private_and_leaves_nothing_behind() {
        let parent = tempfile::tempdir().unwrap();

        let (socket, acceptor) = bind(&in_folder(parent.path())).unwrap();

        let path = PathBuf::from(&socket.address);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        drop((socket, acceptor));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_group_may_connect_when_the_host_names_one() {
        let parent = tempfile::tempdir().unwrap();
        let own = std::os::unix::fs::MetadataExt::gid(&fs::metadata(parent.path()).unwrap());

        let host = Host {
            socket_group: Some(own.to_string()),
            ..in_folder(parent.path())
        };
        let (socket, _acceptor) = bind(&host).unwrap();

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = PathBuf::from(&socket.address);
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o660, 0o710));
    }

    #[tokio::test]
    async fn each_obstacle_has_its_own_message() {
        let parent = tempfile::tempdir().unwrap();
        let long = parent.path().join("a".repeat(90));
        fs::create_dir(&long).unwrap();

        let too_long = bind(&in_folder(&long)).unwrap_err();
        assert!(matches!(too_long, StartError::PathTooLong { .. }), "{too_long}");
        assert_eq!(
            fs::read_dir(&long).unwrap().count(),
            0,
            "the folder of a failed start is removed"
        );

        let missing = bind(&in_folder(&parent.path().join("missing"))).unwrap_err();
        assert!(missing.one_line().contains("TMPDIR"), "{}", missing.one_line());
        assert!(matches!(missing, StartError::Folder { .. }));

        let nobody = Host {
            socket_group: Some("no such group".to_owned()),
            ..in_folder(parent.path())
        };
        assert!(matches!(bind(&nobody).unwrap_err(), StartError::UnknownGroup { .. }));
    }

    #[tokio::test]
    async fn a_path_takes_no_more_than_that_of_a_plugin_in_go() {
        let parent = tempfile::tempdir().unwrap();
        let of_length = |length: usize| {
            let rest = length - parent.path().as_os_str().len() - 1;
            let folder = parent.path().join("a".repeat(rest));
            fs::create_dir(&folder).unwrap();
            folder
        };
        let go = "/plugin4294967295".len();

        let just = of_length(LONGEST_PATH - go);
        let (socket, _acceptor) = bind(&in_folder(&just)).unwrap();
        assert!(Path::new(&socket.address).starts_with(&just));

        // Too long by one, and nobody asked for that folder: the short one serves.
        let long = of_length(LONGEST_PATH - go + 1);
        let place = Place::make_or_shorter(&long).unwrap();
        assert!(place.socket.starts_with(SHORT_FOLDER), "{}", place.socket.display());
        assert!(place.folder.is_dir());
    }

    #[test]
    fn a_group_is_found_by_name_or_number() {
        assert_eq!(group_number("4242").unwrap(), 4242);
        let roots = if cfg!(target_os = "linux") { "root" } else { "wheel" };
        assert_eq!(group_number(roots).unwrap(), 0);
    }
}
