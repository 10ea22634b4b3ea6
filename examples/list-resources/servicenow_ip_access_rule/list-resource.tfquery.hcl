# Rules that are in force.
list "servicenow_ip_access_rule" "all" {
  provider = servicenow

  config {
    query = "active=true"
  }
}
