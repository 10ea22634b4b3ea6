# Users that may call web services only.
list "servicenow_integration_user" "all" {
  provider = servicenow

  config {
    query = "web_service_access_only=true"
  }
}
