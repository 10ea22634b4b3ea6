# Step M3. The application ID is that of the outbound application.
resource "m365_support_settings" "this" {
  provider = servicenow

  internal_support_tool = "ServiceNow"
  application_id        = "11111111-1111-4111-8111-111111111111"
}
