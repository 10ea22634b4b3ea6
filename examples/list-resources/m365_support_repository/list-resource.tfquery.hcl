# Every repository of the tenant.
list "m365_support_repository" "all" {
  provider = servicenow
}
