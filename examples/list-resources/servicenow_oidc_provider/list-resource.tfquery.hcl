# Every OIDC provider whose tokens the instance accepts.
list "servicenow_oidc_provider" "all" {
  provider = servicenow

  config {
    query = "active=true"
  }
}
