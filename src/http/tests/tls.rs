//! Certificates, good and bad, over real TLS.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};

use super::status;
use crate::http::{
    Client, ClientOptions, HttpError, Method, OptionsError, Repeat, TlsProblem,
    scripted::{Authority, Server, limits, options, server_builder},
};

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
    assert!(error.to_string().contains("ca_certificate_path") && error.to_string().contains("SSL_CERT_FILE"));
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
        OptionsError::Unreadable {
            attribute: "ca_certificate_path",
            ..
        }
    ));
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
    let no_certificate = error(ClientOptions {
        client_key_path: certificate,
        ..options()
    })
    .await;
    assert!(matches!(no_certificate, OptionsError::KeyWithoutCertificate { .. }));
    assert_eq!(server.count(), 0);
}
