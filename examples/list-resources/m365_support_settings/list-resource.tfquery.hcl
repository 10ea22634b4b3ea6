# The tenant's settings, if it has any.
list "m365_support_settings" "all" {
  provider = servicenow
}
