# Every registration that lets holders of an identity provider's tokens in.
list "servicenow_oidc_provider" "all" {
  provider = servicenow

  config {
    query = "active=true"
  }
}
