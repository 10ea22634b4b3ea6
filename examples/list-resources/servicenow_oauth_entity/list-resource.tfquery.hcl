# Every registration with which the instance signs in to another service.
list "servicenow_oauth_entity" "all" {
  provider = servicenow

  config {
    query = "type=oauth_provider"
  }
}
