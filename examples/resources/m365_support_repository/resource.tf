variable "inbound_client_secret" {
  description = "Secret of the application that Microsoft's calls are made for."
  type        = string
  ephemeral   = true
}

variable "rest_user_client_secret" {
  description = "Secret of the application that makes the calls."
  type        = string
  ephemeral   = true
}

# Step M4.
resource "m365_support_repository" "this" {
  provider = servicenow

  repository_id = "contoso.service-now.com"
  endpoint      = "https://contoso.service-now.com/"

  client_id      = "22222222-2222-4222-8222-222222222222"
  rest_user_name = "33333333-3333-4333-8333-333333333333"

  client_secret_wo              = var.inbound_client_secret
  client_secret_wo_version      = "1"
  rest_user_password_wo         = var.rest_user_client_secret
  rest_user_password_wo_version = "1"
}
