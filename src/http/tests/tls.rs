//! Certificates, good and bad, over real TLS.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::http::test_server::{Authority, Server, limits, options, server_builder};
use crate::http::tests::status;
use crate::http::{Client, ClientOptions, HttpError, Method, OptionsError, Origin, Repeat, Request, TlsProblem};

async fn tls_error(server: &Server, options: ClientOptions) -> HttpError {
    let request = server.request(Method::GET, Repeat::Idempotent);
    Client::new(options).send(request, &limits()).await.unwrap_err()
}

fn trusting(authority: &Authority) -> (tempfile::NamedTempFile, ClientOptions) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &authority.certificate_pem).unwrap();
    let options = ClientOptions {
        ca_certificate_path: Some(file.path().to_owned()),
        ..options()
    };
    (file, options)
}

#[tokio::test]
async fn a_given_authority_is_trusted_and_an_unknown_one_is_explained() {
    let authority = Authority::new();
    let server = Server::tls(authority.server_config("127.0.0.1", 2020..2100), status(200)).await;
    let (_file, trusting) = trusting(&authority);

    let answer = Client::new(trusting)
        .send(server.request(Method::GET, Repeat::Idempotent), &limits())
        .await;
    assert_eq!(answer.unwrap().status(), 200);

    let error = tls_error(&server, options()).await;
    let HttpError::Tls { problem, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(problem, TlsProblem::UnknownAuthority | TlsProblem::NoRoots));
    assert!(error.remedy().contains("ca_certificate_path") && error.remedy().contains("SSL_CERT_FILE"));
}

/// What `openssl req -x509` makes: its own authority, and marked as one.
fn self_signed(name: &str, years: std::ops::Range<i32>) -> (rcgen::Certificate, ServerConfig) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let config = server_builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    (certificate, config)
}

#[tokio::test]
async fn a_server_that_is_its_own_authority_is_trusted_when_it_is_given() {
    let cases = [
        ("127.0.0.1", 2020..2100, None),
        ("127.0.0.1", 2020..2021, Some(TlsProblem::Expired)),
        ("127.0.0.1", 2090..2100, Some(TlsProblem::NotYetValid)),
        ("other.example", 2020..2100, Some(TlsProblem::WrongName)),
    ];
    for (name, years, expected) in cases {
        let (certificate, config) = self_signed(name, years);
        let server = Server::tls(config, status(200)).await;
        let file = tempfile::NamedTempFile::new().unwrap();
        // As an editor on Windows writes it.
        std::fs::write(file.path(), format!("\u{feff}{}", certificate.pem())).unwrap();
        let options = ClientOptions {
            ca_certificate_path: Some(file.path().to_owned()),
            ..options()
        };

        let request = server.request(Method::GET, Repeat::Idempotent);
        let outcome = Client::new(options).send(request, &limits()).await;

        match expected {
            None => assert_eq!(outcome.unwrap().status(), 200),
            Some(expected) => assert!(
                matches!(&outcome, Err(HttpError::Tls { problem, .. }) if *problem == expected),
                "{outcome:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_its_own_authority_is_not_trusted_for_another_that_is_given() {
    let (_, config) = self_signed("127.0.0.1", 2020..2100);
    let (other, _) = self_signed("127.0.0.1", 2020..2100);
    let server = Server::tls(config, status(200)).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), other.pem()).unwrap();
    for ca_certificate_path in [None, Some(file.path().to_owned())] {
        let error = tls_error(
            &server,
            ClientOptions {
                ca_certificate_path,
                ..options()
            },
        )
        .await;

        assert!(
            matches!(
                &error,
                HttpError::Tls {
                    problem: TlsProblem::UnknownAuthority | TlsProblem::NoRoots,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains("an authority's own certificate"), "{error}");
    }
}

#[tokio::test]
async fn a_plain_server_is_told_from_a_bad_certificate() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Origin::parse(&format!("https://{}", plain.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = plain.accept().await {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let request = Request::new(Method::GET, origin.join("/").unwrap(), &origin, Repeat::Idempotent);

    let error = Client::new(options()).send(request, &limits()).await.unwrap_err();

    assert!(
        matches!(
            &error,
            HttpError::Tls {
                problem: TlsProblem::NotTls,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.remedy().contains("Check the port"));
}

#[tokio::test]
async fn each_certificate_fault_is_told_apart() {
    let authority = Authority::new();
    let cases = [
        ("127.0.0.1", 2020..2021, TlsProblem::Expired),
        ("127.0.0.1", 2090..2100, TlsProblem::NotYetValid),
        ("other.example", 2020..2100, TlsProblem::WrongName),
    ];
    for (name, years, expected) in cases {
        let server = Server::tls(authority.server_config(name, years), status(200)).await;
        let (_file, trusting) = trusting(&authority);

        let error = tls_error(&server, trusting).await;

        assert!(
            matches!(&error, HttpError::Tls { problem, .. } if *problem == expected),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_its_absence_explained() {
    let authority = Authority::new();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.certificate_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    let (certificate, key) = authority.leaf("127.0.0.1", 2020..2100);
    let config = server_builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let server = Server::tls(config, status(200)).await;
    let (_file, trusting) = trusting(&authority);
    let (ours, our_key) = authority.leaf("me", 2020..2100);
    let pem = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(pem.path(), format!("{}{}", ours.pem(), our_key.serialize_pem())).unwrap();
    let with_certificate = ClientOptions {
        client_certificate_path: Some(pem.path().to_owned()),
        ..trusting.clone()
    };

    let answer = Client::new(with_certificate)
        .send(server.request(Method::GET, Repeat::Idempotent), &limits())
        .await;
    assert_eq!(answer.unwrap().status(), 200);

    let error = tls_error(&server, trusting).await;
    assert!(
        matches!(
            &error,
            HttpError::Tls {
                problem: TlsProblem::ClientCertificate,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn unusable_files_are_named_by_the_first_request() {
    let server = Server::replies(vec![status(200)]).await;
    let authority = Authority::new();
    let (file, _) = trusting(&authority);
    let certificate = Some(file.path().to_owned());
    let text = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(text.path(), "not pem").unwrap();
    let text = Some(text.path().to_owned());
    let missing = Some(PathBuf::from("/nowhere/ca.pem"));
    let with_passphrase = tempfile::NamedTempFile::new().unwrap();
    let pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(with_passphrase.path(), pem).unwrap();

    let error = async |options: ClientOptions| {
        let request = server.request(Method::GET, Repeat::Idempotent);
        match Client::new(options).send(request, &limits()).await {
            Err(HttpError::Options(error)) => error,
            other => panic!("{other:?}"),
        }
    };

    let unreadable = error(ClientOptions {
        ca_certificate_path: missing,
        ..options()
    })
    .await;
    assert!(matches!(
        unreadable,
        OptionsError::Unreadable { option, .. } if option == "ca_certificate_path"
    ));
    let of_variable = error(ClientOptions {
        ca_certificate_path: Some(PathBuf::from("/nowhere/ca.pem")),
        variables: vec![("ca_certificate_path", "CA_FILE".to_owned())],
        ..options()
    })
    .await;
    assert!(
        of_variable
            .to_string()
            .starts_with("ca_certificate_path (from CA_FILE): the file /nowhere/ca.pem")
    );
    let no_pem = error(ClientOptions {
        ca_certificate_path: text,
        ..options()
    })
    .await;
    assert!(matches!(
        no_pem,
        OptionsError::Unreadable { .. } | OptionsError::BadPem { .. }
    ));
    let no_key = error(ClientOptions {
        client_certificate_path: certificate.clone(),
        ..options()
    })
    .await;
    assert!(matches!(no_key, OptionsError::CertificateWithoutKey { .. }));
    let encrypted = error(ClientOptions {
        client_certificate_path: certificate.clone(),
        client_key_path: Some(with_passphrase.path().to_owned()),
        ..options()
    })
    .await;
    assert!(
        matches!(&encrypted,
            OptionsError::EncryptedKey { option, .. } if option == "client_key_path"
        ),
        "{encrypted:?}"
    );
    assert!(encrypted.remedy().contains("openssl pkey"));
    let no_certificate = error(ClientOptions {
        client_key_path: certificate,
        ..options()
    })
    .await;
    assert!(matches!(no_certificate, OptionsError::KeyWithoutCertificate { .. }));
    assert_eq!(server.count(), 0);
}
