data "servicenow_application" "m365" {
  scope = "x_mioms_m365_assis"
}

check "application_is_installed" {
  assert {
    condition     = data.servicenow_application.m365.installed
    error_message = "Install the Microsoft 365 support integration from the ServiceNow Store first."
  }
}
