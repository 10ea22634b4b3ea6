# Step P16: the user as whom Microsoft works. The user name is the client ID of the calling application, which the
# claim "appid" of its tokens holds.
resource "servicenow_integration_user" "rest_user" {
  user_name               = "33333333-3333-4333-8333-333333333333"
  first_name              = "m365supportintegration_integration_user"
  last_name               = "Microsoft 365"
  web_service_access_only = true
  roles                   = ["incident_manager"]
}
