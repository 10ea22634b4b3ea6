# Groups that are in use.
list "servicenow_group" "all" {
  provider = servicenow

  config {
    query = "active=true"
  }
}
